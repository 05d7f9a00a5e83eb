-- Grain: one row per profile and UTC day on which it ordered or cancelled. Refunds known at as_of
-- are taken off the day of their order.
select
    profile_id,
    cast(ordered_at as date) as day,
    min(ordered_at) filter (where is_order) as first_order_at,
    max(ordered_at) filter (where is_order) as last_order_at,
    count(*) filter (where is_order) as order_count,
    count(*) filter (where is_order and channel = 'store') as store_order_count,
    count(*) filter (where is_order and discount_value > 0) as discounted_order_count,
    coalesce(sum(gross_value) filter (where is_order), 0) as gross_value,
    coalesce(sum(discount_value) filter (where is_order), 0) as discount_value,
    sum(refunded_value) as refunded_value,
    sum(net_value) as net_value
from {{ ref('int_orders_valued') }}
where profile_id is not null
group by profile_id, cast(ordered_at as date)
