-- Grain: one row per decision of this run: until when it waits for the hour it is meant for, and
-- for the end of the quiet hours. Null: it does not wait.
with clocks as (
    select
        decision_id,
        decided_at,
        due_at,
        zone,
        quiet_from,
        quiet_to,
        case
            when schedule = 'preferred_hour'
                then {{ hour_clock(
                    'coalesce(preferred_hour, ' ~ parameter('default_send_hour') ~ ')'
                ) }}
            when schedule <> 'immediately' then schedule
        end as send_clock
    from {{ ref('campaign_contexts') }}
),

waiting as (
    select
        *,
        case
            when send_clock is not null then {{ next_local_time('due_at', 'zone', 'send_clock') }}
        end as scheduled_at,
        case
            when
                quiet_from is not null
                and {{ is_between_clocks('decided_at', 'zone', 'quiet_from', 'quiet_to') }}
                then {{ next_local_time('decided_at', 'zone', 'quiet_to') }}
        end as quiet_until
    from clocks
)

select
    decision_id,
    zone,
    scheduled_at,
    quiet_until,
    nullif(greatest(
        coalesce(quiet_until, decided_at),
        coalesce(scheduled_at, decided_at),
        decided_at
    ), decided_at) as hold_until
from waiting
