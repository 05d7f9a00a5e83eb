-- Grain: one row per profile that belongs to the segment.
select profile_id
from {{ ref('profile_traits') }}
where
    predicted_value_90d >= {{ parameter('rising_value_least') }}
    and predicted_value_90d > {{ parameter('rising_value_factor') }} * order_value_90d
