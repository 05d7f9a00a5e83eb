-- Grain: one row per profile that belongs to the segment.
select profile_id
from {{ ref('profile_traits') }}
where lifetime_value > {{ parameter('high_value_spend') }}
