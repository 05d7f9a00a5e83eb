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
            when quiet_from is not null then {{ local_time('decided_at', 'zone') }}
        end as decided_local,
        case
            when schedule <> 'immediately' then {{ local_time('due_at', 'zone') }}
        end as due_local,
        case
            when schedule = 'preferred_hour'
                then {{ hour_clock(
                    'coalesce(preferred_hour, ' ~ parameter('default_send_hour') ~ ')'
                ) }}
            when schedule <> 'immediately' then schedule
        end as send_clock
    from {{ ref('campaign_contexts') }}
),

wanted as (
    select
        *,
        {{ next_clock_time('due_local', 'send_clock') }} as scheduled_local,
        case
            when {{ is_between_clocks('decided_local', 'quiet_from', 'quiet_to') }}
                then {{ next_clock_time('decided_local', 'quiet_to') }}
        end as quiet_until_local
    from clocks
),

guessed as (
    select
        *,
        {{ utc_of_local('scheduled_local', 'zone') }} as near_scheduled,
        {{ utc_of_local('quiet_until_local', 'zone') }} as near_quiet_until
    from wanted
),

waiting as (
    select
        *,
        {{ exact_moment('due_at', 'near_scheduled', 'scheduled_local', 'zone') }} as scheduled_at,
        {{ exact_moment('decided_at', 'near_quiet_until', 'quiet_until_local', 'zone') }}
            as quiet_until
    from guessed
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
