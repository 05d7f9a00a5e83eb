-- Grain: one row per session: the events of one device without a pause over the session timeout.
with events as (
    select
        *,
        coalesce(utm_source, utm_medium) is not null as has_campaign,
        {{ in_order(['occurred_at', 'event_id']) }} as place
    from {{ ref('int_events_sessionized') }}
    where {{ is_unbuilt('profile_id') }}
)

select
    session_id,
    min(profile_id) as profile_id,
    min(device_id) as device_id,
    min(occurred_at) as started_at,
    max(occurred_at) as ended_at,
    {{ of_least('device_type', 'place') }} as device_type,
    -- Of one event, the first that names either: a pair of two would be a campaign nobody ran.
    {{ of_least("coalesce(utm_source, '')", 'place') }} filter (where has_campaign) as utm_source,
    {{ of_least("coalesce(utm_medium, '')", 'place') }} filter (where has_campaign) as utm_medium,
    count(*) as event_count,
    count(*) filter (where is_content) as content_page_count,
    count(*) filter (where name = 'product_view') as product_view_count,
    count(*) filter (where name = 'category_view') as category_view_count,
    count(*) filter (where name = 'search') as search_count,
    count(*) filter (where name = 'add_to_cart') as cart_add_count,
    cast(coalesce(sum(dwell_seconds), 0) as decimal(18, 4)) as dwell_seconds,
    coalesce(bool_or(is_conversion), false) as has_conversion,
    case
        when bool_or(is_conversion) then 'conversion'
        when bool_or(name = 'checkout_start') then 'checkout'
        when bool_or(name = 'add_to_cart') then 'cart'
        when bool_or(name = 'product_view') then 'product'
        when bool_or(name = 'category_view') then 'category'
        else 'visit'
    end as funnel_step,
    min(_fingerprint) as _fingerprint
from events
group by session_id
