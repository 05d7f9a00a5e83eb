-- Grain: one row per profile that belongs to the segment.
{% set days = parameter('lapsed_days') -%}
select profile_id
from {{ ref('profile_traits') }}
where
    coalesce(last_session_at, last_order_at) is not null
    and not {{ is_within('last_session_at', days) }}
    and not {{ is_within('last_order_at', days) }}
