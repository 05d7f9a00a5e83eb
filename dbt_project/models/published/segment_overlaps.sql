-- Grain: one row per pair of segments that share a profile; a segment with itself gives its size.
with members as (
    select
        segment,
        profile_id
    from {{ ref('segment_memberships') }}
),

shared as (
    select
        members.segment,
        other_members.segment as other_segment,
        count(*) as shared_count
    from members
    inner join members as other_members
        on members.profile_id = other_members.profile_id
    group by members.segment, other_members.segment
),

sizes as (
    select
        segment,
        count(*) as size
    from members
    group by segment
)

select
    shared.segment,
    shared.other_segment,
    shared.shared_count,
    cast(shared.shared_count / sizes.size as double) as share_of_segment,
    cast(
        shared.shared_count / (sizes.size + other_sizes.size - shared.shared_count) as double
    ) as jaccard,
    {{ as_of() }} as as_of
from shared
inner join sizes
    on shared.segment = sizes.segment
inner join sizes as other_sizes
    on shared.other_segment = other_sizes.segment
