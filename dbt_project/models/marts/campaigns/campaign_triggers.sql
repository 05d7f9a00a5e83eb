-- Grain: one row per trigger, profile and occurrence key.
{{ collect('marts/triggers', 'trg_', 'trigger_name', [
    'profile_id', 'occurrence_key', 'occurred_at', 'available_at', 'expires_at', 'payload',
    'event_ids',
]) }}
