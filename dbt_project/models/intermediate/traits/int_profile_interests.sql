-- Grain: one row per profile, UTC day, category and brand: the points of that day's interest.
-- An event counts affinity_points, and so does each line of an order as `purchase`.
{% set points = parameter('affinity_points') or {'purchase': 0} -%}
with interests as (
    select
        profile_id,
        day,
        name,
        category,
        product_id,
        event_count
    from {{ ref('int_profile_interest_days') }}
    union all
    select
        orders.profile_id,
        cast(orders.ordered_at as date) as day,
        'purchase' as name,
        cast(null as varchar) as category,
        items.product_id,
        count(*) as event_count
    from {{ ref('stg_shop__order_items') }} as items
    inner join {{ ref('int_orders_valued') }} as orders
        on items.order_id = orders.order_id
    where orders.profile_id is not null and orders.is_order
    group by orders.profile_id, cast(orders.ordered_at as date), items.product_id
)

select
    interests.profile_id,
    interests.day,
    coalesce(interests.category, products.category) as category,
    products.brand,
    sum(
        interests.event_count
        * case interests.name
            {% for name, weight in points.items() %}
                when '{{ name }}' then {{ weight }}
            {% endfor %}
        end
    ) as points
from interests
left join {{ ref('stg_shop__products') }} as products
    on interests.product_id = products.product_id
group by
    interests.profile_id,
    interests.day,
    coalesce(interests.category, products.category),
    products.brand
