-- Grain: one row per cart that was left, and to which something was last added not long after its
-- owner had looked at a category.
{% set place = place_of('category_views') %}
with category_views as (
    select * from {{ ref('int_recent_events') }}
    where name = 'category_view' and category is not null
),

-- What follows the view is the last thing that was added.
additions as (
    select
        cart_id,
        profile_id,
        last_added_at as occurred_at,
        last_added_id as event_id
    from {{ ref('int_cart_pauses') }}
),

sequences as (
    select
        additions.cart_id,
        {{ of_greatest('category_views.category', place) }} as category,
        {{ of_greatest('category_views.event_id', place) }} as view_id,
        max(category_views.occurred_at) as viewed_at
    from additions
    inner join category_views
        on
            additions.profile_id = category_views.profile_id
            and {{ is_followed_by(
                'category_views', 'additions', parameter('category_then_cart_hours'), 'hour'
            ) }}
    group by additions.cart_id
)

select
    carts.profile_id,
    carts.cart_id as occurrence_key,
    carts.occurred_at,
    carts.available_at,
    {{ moment_after(
        'carts.available_at', parameter('category_then_cart_abandonment_expiry_hours'), 'hour'
    ) }} as expires_at,
    {{ json_object({
        'cart_id': 'carts.cart_id',
        'product_ids': 'carts.product_ids',
        'category': 'sequences.category',
        'value': json_number('carts.value'),
    }) }} as payload,
    {{ ids_in_order({
        'sequences.view_id': 'sequences.viewed_at',
        'carts.last_added_id': 'carts.last_added_at',
    }) }} as event_ids
from {{ ref('int_cart_pauses') }} as carts
inner join sequences
    on carts.cart_id = sequences.cart_id
where {{ is_listed('carts.available_at', parameter('trigger_lookback_days')) }}
