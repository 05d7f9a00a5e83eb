-- Grain: one row per segment, empty ones too.
with definitions as (
    {{ catalogue('marts/segments', 'seg_') }}
),

sizes as (
    select
        segment,
        count(*) as size
    from {{ ref('segment_memberships') }}
    group by segment
)

select
    definitions.segment,
    definitions.description,
    definitions.owner,
    definitions.definition_hash,
    coalesce(sizes.size, 0) as size,
    {{ as_of() }} as as_of
from definitions
left join sizes
    on definitions.segment = sizes.segment
