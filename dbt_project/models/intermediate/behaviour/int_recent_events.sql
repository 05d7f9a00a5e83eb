-- Grain: one row per event of a session that went on within the lookback of triggers, or in the
-- days of context before it. Sessions are whole.
select
    events.event_id,
    events.profile_id,
    events.session_id,
    sessions.started_at as session_started_at,
    events.name,
    events.occurred_at,
    events.page_type,
    events.product_id,
    events.category,
    events.dwell_seconds,
    events.scroll_depth,
    events.element,
    events.device_type,
    events.country,
    events.is_content
from {{ ref('int_events_sessionized') }} as events
inner join {{ ref('int_sessions') }} as sessions
    on events.session_id = sessions.session_id
where
    {{ may_matter(
        'sessions.ended_at', parameter('trigger_lookback_days'), parameter('trigger_context_days')
    ) }}
