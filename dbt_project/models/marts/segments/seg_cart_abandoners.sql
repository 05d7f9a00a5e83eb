-- Grain: one row per profile that belongs to the segment.
select distinct profile_id
from {{ ref('int_carts') }}
where state = 'abandoned'
