-- Grain: one row per identifier.
select
    identifier,
    identifier_type,
    identifier_value,
    min(first_landed_at) as first_landed_at,
    min(first_occurred_at) as first_occurred_at,
    max(last_occurred_at) as last_occurred_at,
    cast(sum(record_count) as bigint) as record_count
from {{ ref('int_identifiers_observed') }}
group by identifier, identifier_type, identifier_value
