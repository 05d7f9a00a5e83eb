-- Grain: one row per record_key and identifier that the record carries, whoever it identifies.
{{ config(materialized='view') }}
{% for type in ['anonymous_id', 'user_id', 'email', 'phone', 'customer_id', 'contact_id'] -%}
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
