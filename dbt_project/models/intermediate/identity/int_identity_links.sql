-- Grain: one row per source and pair of identifiers that may be one person's: pairs of records, and
-- probabilistic proposals that were accepted.
-- depends_on: {{ ref('int_probabilistic_rules') }}
select
    key_a,
    key_b,
    source,
    first_landed_at,
    first_landed_occurred_at
from {{ ref('int_identity_edges') }}

union all

select
    {{ identifier_key('identifier_a') }} as key_a,
    {{ identifier_key('identifier_b') }} as key_b,
    'probabilistic' as source,
    first_landed_at,
    timestamp '9999-12-31' as first_landed_occurred_at
from {{ ref('int_identity_proposals') }}
where accepted
