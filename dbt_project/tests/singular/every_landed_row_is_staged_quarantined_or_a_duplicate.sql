{{ config(meta={'dagster': {'ref': {'name': 'stg_web__events'}}}) }}
-- Nothing is lost between landing and staging: what is neither staged nor quarantined must be a
-- second record of a key that is staged, or of a key that its source deleted.
{% set entities = [
    ('crm_contacts', 'contact_id'), ('crm_consents', 'consent_id'),
    ('crm_interactions', 'interaction_id'), ('crm_tickets', 'ticket_id'),
    ('web_events', 'event_id'), ('shop_products', 'product_id'), ('shop_orders', 'order_id'),
    ('shop_order_items', 'order_item_id'), ('shop_refunds', 'refund_id'),
] %}
{% for entity, key in entities %}
    {% set base = 'base_' ~ entity.replace('_', '__', 1) %}
    {% set stage = 'stg_' ~ entity.replace('_', '__', 1) %}
    select
        '{{ entity }}' as entity,
        landed._source_file,
        landed._row_number
    from {{ ref(base) }} as landed
    where
        landed._rejection_reason is null
        and landed.{{ key }} not in (
            select deleted.{{ key }} from {{ ref(base) }} as deleted
            where deleted._deleted and deleted.{{ key }} is not null
        )
        and not exists (
            select 1 from {{ ref(stage) }} as staged
            where staged.{{ key }} = landed.{{ key }}
        )
    union all
    select
        '{{ entity }}' as entity,
        staged._source_file,
        staged._row_number
    from {{ ref(stage) }} as staged
    where
        not exists (
            select 1 from {{ ref(base) }} as landed
            where
                landed._source_file = staged._source_file
                and landed._row_number = staged._row_number
        )
    {% if not loop.last %}union all{% endif %}
{% endfor %}
