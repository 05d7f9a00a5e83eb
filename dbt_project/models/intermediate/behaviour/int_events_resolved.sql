-- Grain: one row per event up to as_of, with the profile it belongs to (null: nobody known). Those
-- received too late are in int_events_too_late.
with events as (
    select
        *,
        {{ event_record_key() }} as record_key
    from {{ ref('stg_web__events') }}
    where
        occurred_at <= {{ as_of() }}
        and not {{ is_too_late('occurred_at', 'received_at', parameter('late_event_days')) }}
)

select
    events.event_id,
    profiles.profile_id,
    coalesce(events.anonymous_id, profiles.profile_id) as device_id,
    events.name,
    events.occurred_at,
    events.page_type,
    events.product_id,
    events.category,
    events.cart_id,
    events.order_id,
    events.quantity,
    events.value,
    events.dwell_seconds,
    events.scroll_depth,
    events.search_query,
    case
        when events.name = 'click' then {{ json_text('events.properties', 'element') }}
    end as element,
    events.device_type,
    events.country,
    events.timezone,
    lower(events.utm_source) as utm_source,
    lower(events.utm_medium) as utm_medium,
    coalesce(plan.is_content, false)
    or coalesce(events.page_type = 'article', false) as is_content,
    coalesce(plan.is_conversion, false) as is_conversion
from events
left join {{ ref('int_record_profiles') }} as profiles
    on events.record_key = profiles.record_key
left join {{ ref('int_tracking_plan') }} as plan
    on events.name = plan.event_name
