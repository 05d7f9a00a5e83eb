-- Grain: one row per source and combination of identifiers that some landed record carries. Records
-- that were replaced since count too: what they said of a person was said.
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
        {% if source == 'web_events' %}
            -- Of an event the first record is kept, so staging has all that was ever said.
            from {{ ref('stg_web__events') }}
        {% else %}
            from {{ ref('base_' ~ source.replace('_', '__', 1)) }}
            where _rejection_reason is null and not _deleted
        {% endif %}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

combined as (
    select
        {{ key_of(['source'] + identifiers) }} as record_key,
        source,
        anonymous_id,
        user_id,
        email,
        phone,
        customer_id,
        contact_id,
        {{ first_known('_landed_at', 'occurred_at') }} as first_known,
        min(occurred_at) as first_occurred_at,
        max(occurred_at) as last_occurred_at,
        count(*) as record_count
    from records
    where occurred_at <= {{ as_of() }} or occurred_at is null
    group by all
)

select
    * exclude (first_known),
    {{ known_at('landed_at') }} as first_landed_at,
    {{ known_at('occurred_at') }} as first_landed_occurred_at
from combined
