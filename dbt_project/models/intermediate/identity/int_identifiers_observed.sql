-- Grain: one row per record_key and identifier that the record carries and that is not blocked.
with observed as (
    {% for type in ['anonymous_id', 'user_id', 'email', 'phone', 'customer_id', 'contact_id'] %}
        select
            record_key,
            source,
            '{{ type }}' as identifier_type,
            {{ type }} as identifier_value,
            first_occurred_at,
            last_occurred_at,
            first_landed_at,
            first_landed_occurred_at,
            record_count
        from {{ ref('int_identity_records') }}
        where {{ type }} is not null
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    record_key,
    source,
    identifier_type,
    identifier_value,
    {{ identifier_of('identifier_type', 'identifier_value') }} as identifier,
    first_occurred_at,
    last_occurred_at,
    first_landed_at,
    first_landed_occurred_at,
    record_count
from observed
where not exists (
    select 1
    from {{ ref('blocked_identifiers') }} as blocked
    where
        blocked.identifier_type in ('any', observed.identifier_type)
        and lower(observed.identifier_value) like blocked.pattern
)
