-- Grain: one row per source and combination of identifiers that some record carries.
{% set identifiers = [
    'anonymous_id', 'user_id', 'email', 'phone', 'customer_id', 'contact_id',
] -%}
{% set sources = {
    'web_events': (['anonymous_id', 'user_id', 'email'], 'occurred_at'),
    'crm_contacts': (
        ['email', 'phone', 'customer_id', 'contact_id'], 'coalesce(created_at, updated_at)'
    ),
    'crm_consents': (['email', 'contact_id'], 'occurred_at'),
    'crm_interactions': (['email', 'contact_id'], 'occurred_at'),
    'crm_tickets': (['email', 'contact_id'], 'opened_at'),
    'shop_orders': (['email', 'phone', 'customer_id'], 'ordered_at'),
} %}
with records as (
    {% for source, (carried, moment) in sources.items() %}
        select
            '{{ source }}' as source,
            {% for identifier in identifiers %}
                {{ identifier if identifier in carried else 'null' }} as {{ identifier }},
            {% endfor %}
            {{ moment }} as occurred_at,
            _landed_at
        from {{ ref('stg_' ~ source.replace('_', '__', 1)) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    {{ key_of(['source'] + identifiers) }} as record_key,
    source,
    anonymous_id,
    user_id,
    email,
    phone,
    customer_id,
    contact_id,
    min(occurred_at) as first_occurred_at,
    max(occurred_at) as last_occurred_at,
    min(_landed_at) as first_landed_at,
    count(*) as record_count
from records
where occurred_at <= {{ as_of() }} or occurred_at is null
group by all
