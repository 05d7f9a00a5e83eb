-- Grain: one row per profile with events: what state its behaviour is computed from.
with events as (
    select * from {{ ref('int_events_resolved') }}
    where profile_id is not null
)

select
    profile_id,
    {{ rows_fingerprint('events', behaviour_salt()) }} as fingerprint
from events
group by profile_id
