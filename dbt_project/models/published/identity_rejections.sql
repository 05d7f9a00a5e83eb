-- Grain: one row per edge and time from which on it was not allowed to link, with the rule that
-- forbids it.
with judged as (
    select
        *,
        lead(changed_at) over (
            partition by identifier_a, identifier_b order by changed_at
        ) as judged_anew_at
    from {{ ref('int_identity_changes') }}
    where kind in ('rejected', 'accepted')
)

select
    type_a as edge_type_a,
    sha256(substr(identifier_a, length(type_a) + 2)) as edge_hash_a,
    type_b as edge_type_b,
    sha256(substr(identifier_b, length(type_b) + 2)) as edge_hash_b,
    rule,
    reason,
    {{ utc('changed_at') }} as valid_from,
    {{ utc('judged_anew_at') }} as valid_to
from judged
where kind = 'rejected'
