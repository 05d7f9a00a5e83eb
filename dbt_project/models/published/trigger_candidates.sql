-- Grain: one row per trigger, profile and occurrence key.
with candidates as (
    {{ collect('marts/triggers', 'trg_', 'trigger_name', [
        'profile_id', 'occurrence_key', 'occurred_at', 'available_at', 'expires_at', 'payload',
        'event_ids',
    ]) }}
)

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
from candidates
