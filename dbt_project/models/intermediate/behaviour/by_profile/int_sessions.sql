-- Grain: one row per session: the events of one device without a pause over the session timeout.
with events as (
    select
        *,
        -- Only events that name a campaign are compared, since most do not.
        case
            when coalesce(utm_source, utm_medium) is not null
                then {{ in_order(['occurred_at', 'event_id']) }}
        end as campaign
    from {{ ref('int_events_sessionized') }}
    where {{ is_unbuilt('profile_id') }}
)

select
    session_id,
    min(profile_id) as profile_id,
    min(device_id) as device_id,
    min(occurred_at) as started_at,
    max(occurred_at) as ended_at,
    max(device_type) filter (where event_id = session_id) as device_type,
    -- Of one event, the first that names either: a pair of two would be a campaign nobody ran.
    {{ of_least("coalesce(utm_source, '')", 'campaign') }} filter (where campaign is not null)
        as utm_source,
    {{ of_least("coalesce(utm_medium, '')", 'campaign') }} filter (where campaign is not null)
        as utm_medium,
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
