-- Grain: one row per profile that belongs to the segment.
select profile_id
from {{ ref('profile_traits') }}
where {{ is_within('last_session_at', parameter('recent_visitor_days')) }}
