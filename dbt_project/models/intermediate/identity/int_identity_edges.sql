-- Grain: one row per pair of identifiers that one record carries (each record's identifiers form a
-- star around its smallest one, which joins them all with the fewest edges).
with hubs as (
    select
        identifier,
        min(identifier) over (partition by record_key) as hub_identifier,
        first_landed_at,
        first_occurred_at,
        record_count
    from {{ ref('int_identifiers_observed') }}
)

select
    hub_identifier as identifier_a,
    identifier as identifier_b,
    min(first_landed_at) as first_landed_at,
    min(first_occurred_at) as first_occurred_at,
    cast(sum(record_count) as bigint) as record_count
from hubs
where hub_identifier <> identifier
group by hub_identifier, identifier
