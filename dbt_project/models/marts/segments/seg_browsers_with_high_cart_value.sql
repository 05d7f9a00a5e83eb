-- Grain: one row per profile that belongs to the segment.
select profile_id
from {{ ref('profile_traits') }}
where behaviour_cluster = 'browsers_with_high_cart_value'
