-- Grain: one row per cart.
{% set abandoned = interval_of(parameter('cart_abandoned_hours'), 'hour') %}
{% set expired = interval_of(parameter('cart_abandoner_days'), 'day') %}
with cart_events as (
    select
        *,
        {{ in_order(['occurred_at', 'event_id']) }} as place
    from {{ ref('int_events_resolved') }}
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
        {{ of_least('profile_id', 'place') }} as profile_id,
        min(occurred_at) filter (where name = 'add_to_cart') as first_added_at,
        max(occurred_at) filter (where name = 'add_to_cart') as last_added_at,
        max(occurred_at) as last_event_at,
        min(occurred_at) filter (where name = 'checkout_start') as checkout_started_at,
        min(occurred_at) filter (where is_conversion) as purchase_event_at,
        coalesce(sum(value) filter (where name = 'add_to_cart'), 0)
        - coalesce(sum(value) filter (where name = 'remove_from_cart'), 0) as value,
        list(distinct product_id order by product_id)
        filter (where name = 'add_to_cart' and product_id is not null) as product_ids,
        list(event_id order by occurred_at, event_id) as event_ids
    from cart_events
    group by cart_id
),

bought as (
    select
        carts.*,
        least(carts.purchase_event_at, ordered.ordered_at) as purchased_at
    from carts
    left join ordered
        on carts.cart_id = ordered.cart_id
    where carts.first_added_at is not null
)

select
    cart_id,
    profile_id,
    first_added_at,
    last_added_at,
    last_event_at,
    checkout_started_at,
    purchased_at,
    case
        when purchased_at is not null then 'purchased'
        when last_added_at <= {{ as_of() }} - {{ expired }} then 'expired'
        when last_added_at <= {{ as_of() }} - {{ abandoned }} then 'abandoned'
        when checkout_started_at is not null then 'checkout'
        else 'open'
    end as state,
    cast(greatest(value, 0) as decimal(18, 4)) as value,
    product_ids,
    event_ids
from bought
