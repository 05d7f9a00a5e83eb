-- Grain: one row per profile that was merged into another, or that came of another by a split.
select
    kind,
    {{ utc('changed_at') }} as changed_at,
    profile_id,
    other_profile_id,
    type_a as edge_type_a,
    sha256(substr(identifier_a, length(type_a) + 2)) as edge_hash_a,
    type_b as edge_type_b,
    sha256(substr(identifier_b, length(type_b) + 2)) as edge_hash_b,
    rule,
    reason
from {{ ref('int_identity_changes') }}
where kind in ('merged', 'split')
