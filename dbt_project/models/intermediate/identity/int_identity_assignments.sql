-- Grain: one row per identifier and time from which on it belonged to a profile, or to none.
select
    identifier_key,
    profile_id,
    changed_at as valid_from,
    lead(changed_at) over (partition by identifier_key order by changed_at) as valid_to,
    is_first
from {{ ref('int_identity_log') }}
where kind = 'assigned'
