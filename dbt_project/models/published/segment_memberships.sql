-- Grain: one row per segment and profile that belongs to it now.
select
    cast(segment as varchar) as segment,
    cast(profile_id as varchar) as profile_id,
    {{ as_of() }} as as_of
from {{ ref('segment_members') }}
where barred_by is null
