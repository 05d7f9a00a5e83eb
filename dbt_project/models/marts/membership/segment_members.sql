-- Grain: one row per segment and profile that qualifies for it. `barred_by` says why a profile is
-- not a member all the same.
with ranked as (
    select
        qualifying.*,
        barred.why as excluded_because,
        row_number() over (
            partition by
                qualifying.profile_id,
                coalesce(nullif(definitions.exclusive_set, ''), qualifying.segment)
            order by definitions.priority, qualifying.segment
        ) as place
    from {{ ref('segment_qualifying') }} as qualifying
    left join {{ ref('segment_definitions') }} as definitions
        on qualifying.model = definitions.model
    left join {{ ref('segment_excluded_profiles') }} as barred
        on qualifying.profile_id = barred.profile_id
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
