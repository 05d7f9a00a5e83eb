-- Grain: one row per profile that belongs to the segment.
select profile_id
from {{ ref('profile_traits') }}
where order_count_{{ parameter('loyal_days') }}d >= {{ parameter('loyal_orders') }}
