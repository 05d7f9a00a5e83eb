-- Grain: one row per segment and profile that belongs to it now.
with members as (
    {{ collect('marts/segments', 'seg_', 'segment', ['profile_id']) }}
)

select
    cast(segment as varchar) as segment,
    cast(profile_id as varchar) as profile_id,
    {{ as_of() }} as as_of
from members
