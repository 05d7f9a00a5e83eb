-- Grain: one row per segment and profile that qualifies for it: by this build's rows, or, where
-- these do not count, by the last good ones.
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
