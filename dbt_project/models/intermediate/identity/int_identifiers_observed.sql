-- Grain: one row per record_key and identifier that the record carries and that is not blocked.
select
    carried.record_key,
    carried.source,
    carried.identifier_type,
    carried.identifier_value,
    {{ identifier_of('carried.identifier_type', 'carried.identifier_value') }} as identifier,
    carried.first_occurred_at,
    carried.last_occurred_at,
    carried.first_landed_at,
    carried.first_landed_occurred_at,
    carried.record_count
from {{ ref('int_identifiers_carried') }} as carried
where
    length(carried.identifier_value) <= {{ longest_identifier() }}
    and not exists (
        select 1
        from {{ ref('int_identifiers_blocked') }} as blocked
        where
            carried.identifier_type = blocked.identifier_type
            and carried.identifier_value = blocked.identifier_value
    )
