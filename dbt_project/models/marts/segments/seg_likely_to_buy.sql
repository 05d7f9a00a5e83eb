-- Grain: one row per profile that belongs to the segment.
select profile_id
from {{ ref('profile_traits') }}
where purchase_probability_30d >= {{ parameter('purchase_probability') }}
