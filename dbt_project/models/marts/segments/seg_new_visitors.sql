-- Grain: one row per profile that belongs to the segment.
select profile_id
from {{ ref('profile_traits') }}
where {{ is_within('first_session_at', parameter('new_visitor_days')) }}
