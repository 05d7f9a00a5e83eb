-- Grain: one row per event up to as_of that was received too late to count.
with events as (
    select
        *,
        {{ event_record_key() }} as record_key
    from {{ ref('stg_web__events') }}
    where
        occurred_at <= {{ as_of() }}
        and {{ is_too_late('occurred_at', 'received_at', parameter('late_event_days')) }}
)

select
    events.event_id,
    profiles.profile_id,
    events.name,
    events.occurred_at,
    events.received_at
from events
left join {{ ref('int_record_profiles') }} as profiles
    on events.record_key = profiles.record_key
