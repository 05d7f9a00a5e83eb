-- Grain: one row per profile that belongs to the segment.
select profile_id
from {{ ref('profile_traits') }}
where
    recency_score >= {{ parameter('vip_recency_score') }}
    and frequency_score >= {{ parameter('vip_frequency_score') }}
    and monetary_score >= {{ parameter('vip_monetary_score') }}
