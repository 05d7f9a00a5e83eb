-- Grain: one row per segment and profile that qualifies for it, by this build's rows, or, where these
-- do not count, by the last good ones. `barred_by` says why a profile is not a member all the same.
with counting as (
    select distinct
        candidates.model,
        candidates.segment,
        candidates.profile_id
    from {{ ref('segment_candidates') }} as candidates
    inner join {{ ref('segment_verdicts') }} as verdicts
        on candidates.model = verdicts.model
    where verdicts.reason is null
    union
    select
        last_members.model,
        last_members.segment,
        last_members.profile_id
    from {{ ref('segment_last_members') }} as last_members
    inner join {{ ref('segment_verdicts') }} as verdicts
        on last_members.model = verdicts.model
    where verdicts.reason is not null and last_members.profile_id is not null
),

ranked as (
    select
        counting.*,
        excluded.why as excluded_because,
        row_number() over (
            partition by
                counting.profile_id,
                coalesce(nullif(definitions.exclusive_set, ''), counting.segment)
            order by definitions.priority, counting.segment
        ) as place
    from counting
    left join {{ ref('segment_definitions') }} as definitions
        on counting.model = definitions.model
    left join {{ ref('segment_excluded_profiles') }} as excluded
        on counting.profile_id = excluded.profile_id
)

select
    model,
    segment,
    profile_id,
    case
        when excluded_because is not null then 'excluded'
        when place > 1 then 'outranked'
    end as barred_by
from ranked
