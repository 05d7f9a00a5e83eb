-- Grain: one row per profile with an order.
select
    profile_id,
    count(*) filter (where status is distinct from 'cancelled') as order_count,
    sum(net_value) as lifetime_value,
    min(ordered_at) filter (where status is distinct from 'cancelled') as first_order_at,
    max(ordered_at) filter (where status is distinct from 'cancelled') as last_order_at
from {{ ref('int_orders_valued') }}
where profile_id is not null
group by profile_id
