-- Grain: one row per profile, kind of interest (category or brand) and name of it: its points.
-- An event weighs affinity_points * 0.5^(age in days / affinity_half_life_days).
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
),

weighted as (
    select
        profile_id,
        category,
        product_id,
        -- Rounded before it is summed, so that the order of rows changes no digit.
        cast(round(
            event_count
            * case name
                {% for name, weight in points.items() %}
                    when '{{ name }}' then {{ weight }}
                {% endfor %}
            end
            * pow(
                0.5,
                {{ days_between('day', as_of_day()) }} / {{ parameter('affinity_half_life_days') }}
            ), 6
        ) as decimal(18, 6)) as points
    from interests
),

known as (
    select
        weighted.profile_id,
        coalesce(weighted.category, products.category) as category,
        products.brand,
        weighted.points
    from weighted
    left join {{ ref('stg_shop__products') }} as products
        on weighted.product_id = products.product_id
),

named as (
    {% for kind in ['category', 'brand'] %}
        select
            profile_id,
            '{{ kind }}' as kind,
            {{ kind }} as name,
            sum(points) as points
        from known
        where {{ kind }} is not null
        group by profile_id, {{ kind }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    profile_id,
    kind,
    name,
    cast(points as decimal(18, 6)) as points,
    {{ share_of('points', 'sum(points) over (partition by profile_id, kind)') }} as points_share
from named
