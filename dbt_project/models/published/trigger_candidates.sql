-- Grain: one row per trigger, profile and occurrence key.
select
    trigger_name,
    profile_id,
    occurrence_key,
    occurred_at,
    available_at,
    expires_at,
    payload,
    event_ids,
    {{ as_of() }} as as_of
from {{ ref('campaign_triggers') }}
