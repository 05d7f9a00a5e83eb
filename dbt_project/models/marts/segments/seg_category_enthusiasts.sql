-- Grain: one row per profile that belongs to the segment.
{% set days = parameter('category_enthusiast_days') -%}
with dwelled as (
    select
        events.profile_id,
        coalesce(events.category, products.category) as category,
        events.dwell_seconds
    from {{ ref('int_events_sessionized') }} as events
    left join {{ ref('stg_shop__products') }} as products
        on events.product_id = products.product_id
    where events.occurred_at > {{ as_of() }} - {{ interval_of(days, 'day') }}
),

by_category as (
    select
        profile_id,
        category
    from dwelled
    where category is not null
    group by profile_id, category
    having sum(dwell_seconds) > 60 * {{ parameter('category_enthusiast_minutes') }}
)

select distinct profile_id
from by_category
