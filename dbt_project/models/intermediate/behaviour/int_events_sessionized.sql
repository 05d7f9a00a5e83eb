-- Grain: one row per event of a known device, with the session it falls into.
with gaps as (
    select
        event_id,
        profile_id,
        device_id,
        name,
        occurred_at,
        dwell_seconds,
        is_content,
        is_conversion,
        occurred_at - lag(occurred_at) over (
            partition by device_id, profile_id order by occurred_at, event_id
        ) as pause
    from {{ ref('int_events_resolved') }}
    where profile_id is not null
),

numbered as (
    select
        *,
        sum(
            case
                when
                    pause is null
                    or pause > {{ interval_of(parameter('session_timeout_minutes'), 'minute') }}
                    then 1
                else 0
            end
        ) over (
            partition by device_id, profile_id
            order by occurred_at, event_id rows between unbounded preceding and current row
        ) as session_number
    from gaps
)

select
    event_id,
    profile_id,
    device_id,
    name,
    occurred_at,
    dwell_seconds,
    is_content,
    is_conversion,
    first_value(event_id) over (
        partition by device_id, profile_id, session_number order by occurred_at, event_id
    ) as session_id
from numbered
