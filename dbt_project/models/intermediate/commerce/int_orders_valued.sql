-- Grain: one row per order up to as_of, with its value net of refunds. The order's own total wins
-- over the sum of its lines; a cancellation has negative lines and so takes back what it cancels.
with orders as (
    select
        *,
        {{ record_key('shop_orders', ['null', 'null', 'email', 'phone', 'customer_id', 'null']) }}
            as record_key
    from {{ ref('stg_shop__orders') }}
    where ordered_at <= {{ as_of() }}
)

select
    orders.order_id,
    profiles.profile_id,
    orders.cart_id,
    orders.channel,
    orders.status,
    coalesce(orders.status <> 'cancelled', true) as is_order,
    orders.currency,
    orders.ordered_at,
    coalesce(orders.total, items.item_value, 0) as gross_value,
    coalesce(orders.discount, items.discount_value, 0) as discount_value,
    coalesce(refunds.refunded_value, 0) as refunded_value,
    coalesce(orders.total, items.item_value, 0) - coalesce(refunds.refunded_value, 0) as net_value
from orders
left join {{ ref('int_record_profiles') }} as profiles
    on orders.record_key = profiles.record_key
left join {{ ref('int_order_items_valued') }} as items
    on orders.order_id = items.order_id
left join {{ ref('int_refunds_summed') }} as refunds
    on orders.order_id = refunds.order_id
