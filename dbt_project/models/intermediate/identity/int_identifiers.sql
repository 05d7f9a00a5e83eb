-- Grain: one row per identifier.
with identifiers as (
    select
        identifier,
        identifier_type,
        identifier_value,
        {{ first_known('first_landed_at', 'first_landed_occurred_at') }} as first_known,
        min(first_occurred_at) as first_occurred_at,
        max(last_occurred_at) as last_occurred_at,
        cast(sum(record_count) as bigint) as record_count
    from {{ ref('int_identifiers_observed') }}
    group by identifier, identifier_type, identifier_value
)

select
    {{ identifier_key('identifier') }} as identifier_key,
    identifier,
    identifier_type,
    identifier_value,
    {{ known_at('landed_at') }} as first_landed_at,
    {{ known_at('occurred_at') }} as first_landed_occurred_at,
    first_occurred_at,
    last_occurred_at,
    record_count
from identifiers
