-- Grain: one row per record or line that staging does not accept, with the reason; nothing is lost.
{% set entities = [
    'crm_contacts', 'crm_consents', 'crm_interactions', 'crm_tickets', 'shop_products',
    'shop_orders', 'shop_order_items', 'shop_refunds', 'web_events',
] %}
with rejected_records as (
    {% for entity in entities %}
        select
            '{{ entity }}' as entity,
            _source_file,
            _row_number,
            _rejection_reason as reason,
            true as is_record,
            _record as record,
            _landed_at,
            _load_id
        from {{ ref('base_' ~ entity.replace('_', '__', 1)) }}
        where _rejection_reason is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

unreadable_lines as (
    select
        replace(folder, '/', '_') as entity,
        _source_file,
        _row_number,
        reason,
        false as is_record,
        content as record,
        _landed_at,
        _load_id
    from {{ source('landing', '_rejected_lines') }}
)

select * from rejected_records
union all
select * from unreadable_lines
