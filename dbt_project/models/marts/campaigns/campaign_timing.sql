-- Grain: one row per decision of this run: until when it waits for the hour it is meant for, and
-- for the end of the quiet hours. Null: it does not wait.
{% set zone = local_zone() -%}
with clocks as (
    select
        due.decision_id,
        due.decided_at,
        due.due_at,
        {{ zone }} as zone,
        due.quiet_from,
        due.quiet_to,
        case
            when due.schedule = 'preferred_hour'
                then {{ hour_clock(
                    'coalesce(due.preferred_hour, ' ~ parameter('default_send_hour') ~ ')'
                ) }}
            when due.schedule <> 'immediately' then due.schedule
        end as send_clock
    from {{ ref('campaign_contexts') }} as due
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
