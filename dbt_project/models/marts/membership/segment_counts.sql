-- Grain: one row per segment's model: what its rows are like.
with profiles as (
    select profile_id from {{ ref('int_profiles_found') }}
),

everybody as (
    select count(*) as profile_count from profiles
),

counted as (
    select
        candidates.model,
        count(*) as row_count,
        count(*) - count(candidates.profile_id) as null_count,
        count(*) - count(candidates.segment) as untagged_count,
        count(candidates.profile_id)
        - count(distinct candidates.segment || ' ' || candidates.profile_id) as repeated_count,
        count(*) filter (
            where candidates.profile_id is not null and profiles.profile_id is null
        ) as unknown_count,
        count(distinct profiles.profile_id) as member_count
    from {{ ref('segment_candidates') }} as candidates
    left join profiles
        on candidates.profile_id = profiles.profile_id
    group by candidates.model
)

select
    counted.*,
    counted.member_count = everybody.profile_count
    and everybody.profile_count >= {{ parameter('segment_everybody_from') }} as holds_everybody
from counted
cross join everybody
