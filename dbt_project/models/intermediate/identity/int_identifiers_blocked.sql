-- Grain: one row per identifier that records carry and that identifies nobody; those that are too
-- long are cut, and are one row per type and beginning.
with identifiers as (
    select
        identifier_type,
        identifier_value,
        min(first_occurred_at) as first_occurred_at,
        max(last_occurred_at) as last_occurred_at,
        min(first_landed_at) as first_landed_at,
        sum(record_count) as record_count
    from {{ ref('int_identifiers_carried') }}
    group by identifier_type, identifier_value
),

judged as (
    select
        *,
        {{ blocked_by('identifier_type', 'identifier_value') }} as pattern
    from identifiers
),

shown as (
    select
        identifier_type,
        case
            when pattern = 'too long' then left(identifier_value, 64) || '…'
            else identifier_value
        end as identifier_value,
        pattern,
        first_occurred_at,
        last_occurred_at,
        first_landed_at,
        record_count
    from judged
    where pattern is not null
)

select
    shown.identifier_type,
    shown.identifier_value,
    min(shown.pattern) as pattern,
    coalesce(min(listed.reason), 'too long') as reason,
    min(shown.first_occurred_at) as first_occurred_at,
    max(shown.last_occurred_at) as last_occurred_at,
    min(shown.first_landed_at) as first_landed_at,
    cast(sum(shown.record_count) as bigint) as record_count
from shown
left join {{ ref('blocked_identifiers') }} as listed
    on shown.pattern = listed.pattern
group by shown.identifier_type, shown.identifier_value
