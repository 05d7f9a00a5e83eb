-- Grain: one row per override, as `muster identity` recorded it; values as the models write them.
select
    {{ text('override_id') }} as override_id,
    {{ text('action') }} as action,
    {{ text('type_a') }} as type_a,
    {{ normal_identifier('type_a', 'value_a') }} as value_a,
    {{ text('type_b') }} as type_b,
    {{ normal_identifier('type_b', 'value_b') }} as value_b,
    {{ text('told_by') }} as told_by,
    {{ text('why') }} as why,
    _landed_at,
    _load_id
from {{ source('landing', 'identity_overrides') }}
