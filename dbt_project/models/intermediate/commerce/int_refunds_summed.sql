-- Grain: one row per refunded order, refunds up to as_of.
select
    order_id,
    sum(amount) as refunded_value
from {{ ref('stg_shop__refunds') }}
where refunded_at <= {{ as_of() }}
group by order_id
