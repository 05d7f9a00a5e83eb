-- Grain: one row per source and pair of identifiers that one record carries. Each record's
-- identifiers are joined to its strongest one.
with pairs as (
    select
        hubs.identifier as identifier_a,
        observed.identifier as identifier_b,
        observed.source,
        {{ first_known('observed.first_landed_at', 'observed.first_landed_occurred_at') }}
            as first_known,
        min(observed.first_occurred_at) as first_occurred_at,
        max(observed.last_occurred_at) as last_occurred_at,
        cast(sum(observed.record_count) as bigint) as record_count
    from {{ ref('int_identifiers_observed') }} as observed
    inner join {{ ref('int_record_hubs') }} as hubs
        on observed.record_key = hubs.record_key
    where observed.identifier <> hubs.identifier
    group by hubs.identifier, observed.identifier, observed.source
)

select
    identifier_a,
    identifier_b,
    source,
    {{ identifier_key('identifier_a') }} as key_a,
    {{ identifier_key('identifier_b') }} as key_b,
    {{ known_at('landed_at') }} as first_landed_at,
    {{ known_at('occurred_at') }} as first_landed_occurred_at,
    first_occurred_at,
    last_occurred_at,
    record_count
from pairs
