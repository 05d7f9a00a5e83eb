-- Grain: one row per order: what its lines add up to.
select
    order_id,
    sum(quantity * unit_price - coalesce(discount, 0)) as item_value,
    sum(coalesce(discount, 0)) as discount_value,
    count(*) as line_count
from {{ ref('stg_shop__order_items') }}
group by order_id
