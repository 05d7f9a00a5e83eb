-- Grain: one row per profile that belongs to the segment.
select profile_id
from {{ ref('profile_traits') }}
where churn_probability_{{ parameter('churn_days') }}d > {{ parameter('churn_probability') }}
