-- Grain: one row per order of a known profile.
with orders as (
    select * from {{ ref('int_orders_valued') }}
    where
        is_order
        and profile_id is not null
        and {{ is_listed('ordered_at', parameter('trigger_lookback_days')) }}
),

products as (
    select
        items.order_id,
        list(distinct items.product_id order by items.product_id) as product_ids
    from {{ ref('stg_shop__order_items') }} as items
    inner join orders
        on items.order_id = orders.order_id
    where items.product_id is not null
    group by items.order_id
)

select
    orders.profile_id,
    orders.order_id as occurrence_key,
    orders.ordered_at as occurred_at,
    orders.ordered_at as available_at,
    {{ moment_after(
        'orders.ordered_at', parameter('post_purchase_loyalty_expiry_hours'), 'hour'
    ) }} as expires_at,
    {{ json_object({
        'order_id': 'orders.order_id',
        'product_ids': 'products.product_ids',
        'value': json_number('orders.gross_value'),
    }) }} as payload,
    {{ no_event_ids() }} as event_ids
from orders
left join products
    on orders.order_id = products.order_id
