-- Grain: one row per session: the events of one device without a pause over the session timeout.
select
    session_id,
    any_value(profile_id) as profile_id,
    any_value(device_id) as device_id,
    min(occurred_at) as started_at,
    max(occurred_at) as ended_at,
    count(*) as event_count,
    count(*) filter (where is_content) as content_page_count,
    count(*) filter (where name = 'product_view') as product_view_count,
    coalesce(bool_or(is_conversion), false) as has_conversion
from {{ ref('int_events_sessionized') }}
group by session_id
