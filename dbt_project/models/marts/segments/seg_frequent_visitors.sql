-- Grain: one row per profile that belongs to the segment.
select profile_id
from {{ ref('int_sessions') }}
where started_at > {{ as_of() }} - {{ interval_of(parameter('frequent_visitor_days'), 'day') }}
group by profile_id
having count(*) > {{ parameter('frequent_visitor_sessions') }}
