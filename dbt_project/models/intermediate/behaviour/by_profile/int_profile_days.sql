-- Grain: one row per profile and UTC day on which it had events. A session counts on its first day.
select
    profile_id,
    cast(occurred_at as date) as day,
    min(occurred_at) as first_event_at,
    max(occurred_at) as last_event_at,
    count(*) as event_count,
    count(*) filter (where event_id = session_id) as session_count,
    count(*) filter (where event_id = session_id and device_type = 'mobile')
        as mobile_session_count,
    count(*) filter (where event_id = session_id and device_type = 'desktop')
        as desktop_session_count,
    count(*) filter (where event_id = session_id and device_type = 'tablet')
        as tablet_session_count,
    count(*) filter (where name = 'product_view') as product_view_count,
    count(*) filter (where name = 'category_view') as category_view_count,
    count(*) filter (where is_content) as content_read_count,
    count(*) filter (where name = 'search') as search_count,
    count(*) filter (where name = 'add_to_cart') as cart_add_count,
    cast(coalesce(sum(value) filter (where name = 'add_to_cart'), 0) as decimal(18, 4))
        as cart_add_value,
    cast(coalesce(sum(dwell_seconds), 0) as decimal(18, 4)) as dwell_seconds,
    min(_fingerprint) as _fingerprint
from {{ ref('int_events_sessionized') }}
where {{ is_unbuilt('profile_id') }}
group by profile_id, cast(occurred_at as date)
