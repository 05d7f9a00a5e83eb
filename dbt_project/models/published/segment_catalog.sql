-- Grain: one row per segment, empty and held ones too.
with sizes as (
    select
        segment,
        count(*) as size
    from {{ ref('segment_memberships') }}
    group by segment
),

changes as (
    select
        segment,
        count(*) filter (where entered_at = {{ as_of() }}) as entered,
        count(*) filter (where exited_at = {{ as_of() }}) as exited
    from {{ ref('segment_membership_history') }}
    group by segment
)

select
    versions.segment,
    versions.description,
    versions.owner,
    versions.definition_hash,
    cast(versions.definition_version as bigint) as definition_version,
    coalesce(sizes.size, 0) as size,
    coalesce(changes.entered, 0) as entered,
    coalesce(changes.exited, 0) as exited,
    nullif(versions.exclusive_set, '') as exclusive_set,
    versions.held_because is not null as is_held,
    versions.file || ': ' || versions.held_because as held_because,
    versions.held_since,
    {{ as_of() }} as as_of
from {{ ref('segment_versions') }} as versions
left join sizes
    on versions.segment = sizes.segment
left join changes
    on versions.segment = changes.segment
