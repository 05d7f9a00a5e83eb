-- Grain: one row per override: what somebody said of identity, against the data.
select
    override_id,
    action,
    {{ identifier_of('type_a', 'value_a') }} as identifier_a,
    {{ identifier_of('type_b', 'value_b') }} as identifier_b,
    {{ identifier_key(identifier_of('type_a', 'value_a')) }} as key_a,
    {{ identifier_key(identifier_of('type_b', 'value_b')) }} as key_b,
    told_by,
    why,
    _landed_at as landed_at
from {{ ref('stg_muster__identity_overrides') }}
