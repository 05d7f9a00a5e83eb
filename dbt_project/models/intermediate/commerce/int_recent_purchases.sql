-- Grain: one row per profile, product and moment at which it was bought, within the lookback of
-- triggers or in the days of context before it: by a line of an order, or in a bought cart.
with lines as (
    select
        orders.profile_id,
        items.product_id,
        orders.ordered_at as bought_at
    from {{ ref('int_orders_valued') }} as orders
    inner join {{ ref('stg_shop__order_items') }} as items
        on orders.order_id = items.order_id
    where
        items.quantity > 0
        and {{ may_matter(
            'orders.ordered_at',
            parameter('trigger_lookback_days'), parameter('trigger_context_days')
        ) }}
),

in_carts as (
    select
        profile_id,
        product_id,
        purchased_at as bought_at
    from {{ ref('int_cart_steps') }}
    where name = 'add_to_cart' and {{ has_happened_by('occurred_at', 'purchased_at') }}
),

bought as (
    select * from lines
    union
    select * from in_carts
)

select * from bought
where profile_id is not null and product_id is not null
