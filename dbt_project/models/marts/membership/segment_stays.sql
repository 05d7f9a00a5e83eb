-- Grain: one row per segment, profile and time during which the profile belonged to it, this build
-- included.
with changes as (
    select
        number,
        recorded_at,
        segment,
        profile_id,
        action,
        reason,
        definition_version
    from {{ source('ledger', 'segment_changes') }}
    where recorded_at <= {{ as_of() }}
    union all
    select
        9223372036854775807 as number,
        {{ as_of() }} as recorded_at,
        segment,
        profile_id,
        action,
        reason,
        definition_version
    from {{ ref('segment_changes') }}
),

followed as (
    select
        *,
        lead(recorded_at) over (partition by segment, profile_id order by number) as exited_at,
        lead(reason) over (partition by segment, profile_id order by number) as exited_reason,
        row_number() over (partition by segment, profile_id order by number) as place
    from changes
)

select
    segment,
    profile_id,
    -- The first, second, ... time: two builds of one moment may both have changed it.
    (place + 1) // 2 as stay,
    recorded_at as entered_at,
    reason as entered_reason,
    exited_at,
    exited_reason,
    definition_version
from followed
where action = 'enter'
