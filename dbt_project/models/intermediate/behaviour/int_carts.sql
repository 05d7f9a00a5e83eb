-- Grain: one row per cart.
with cart_events as (
    select * from {{ ref('int_events_resolved') }}
    where cart_id is not null and profile_id is not null
),

ordered as (
    select
        cart_id,
        min(ordered_at) as ordered_at
    from {{ ref('int_orders_valued') }}
    where cart_id is not null
    group by cart_id
),

carts as (
    select
        cart_id,
        arg_min(profile_id, (occurred_at, event_id)) as profile_id,
        min(occurred_at) filter (where name = 'add_to_cart') as first_added_at,
        max(occurred_at) filter (where name = 'add_to_cart') as last_added_at,
        max(occurred_at) as last_event_at,
        min(occurred_at) filter (where is_conversion) as purchase_event_at,
        list(distinct product_id order by product_id)
        filter (where name = 'add_to_cart' and product_id is not null) as product_ids,
        list(event_id order by occurred_at, event_id) as event_ids
    from cart_events
    group by cart_id
)

select
    carts.cart_id,
    carts.profile_id,
    carts.first_added_at,
    carts.last_added_at,
    carts.last_event_at,
    least(carts.purchase_event_at, ordered.ordered_at) as purchased_at,
    carts.product_ids,
    carts.event_ids
from carts
left join ordered
    on carts.cart_id = ordered.cart_id
where carts.first_added_at is not null
