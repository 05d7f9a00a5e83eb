-- Grain: one row per entity of the input contract, also one that nobody delivers.
{% set times = {
    'crm_contacts': 'updated_at', 'crm_consents': 'occurred_at', 'crm_interactions': 'occurred_at',
    'crm_tickets': 'opened_at', 'shop_products': 'updated_at', 'shop_orders': 'ordered_at',
    'shop_order_items': 'null', 'shop_refunds': 'refunded_at', 'web_events': 'occurred_at',
} -%}
with records as (
    {% for entity, moment in times.items() %}
        select
            '{{ entity }}' as entity,
            count(*) as row_count,
            -- Clocks that run ahead would make it look fresher than it is.
            max(
                case when {{ moment }} <= {{ as_of() }} then cast({{ moment }} as timestamp) end
            ) as newest_occurred_at,
            {{ utc('max(_landed_at)') }} as newest_landed_at
        from {{ ref('stg_' ~ entity.replace('_', '__', 1)) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    entity,
    cast(row_count as bigint) as row_count,
    newest_occurred_at,
    newest_landed_at,
    {{ seconds_between('newest_occurred_at', as_of()) }} as lag_seconds,
    {{ as_of() }} as as_of
from records
