-- Grain: one row per profile with a session.
select
    profile_id,
    count(*) as session_count,
    count(*) filter (
        where started_at > {{ as_of() }} - {{ interval_of(7, 'day') }}
    ) as session_count_7d,
    min(started_at) as first_session_at,
    max(ended_at) as last_session_at
from {{ ref('int_sessions') }}
group by profile_id
