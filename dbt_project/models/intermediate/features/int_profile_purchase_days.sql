-- Grain: one row per profile and UTC day on which it ordered, or money was given back to it. An
-- order counts as it was placed, whatever became of it later: at a moment before, nobody knew.
with moved as (
    select
        profile_id,
        cast(ordered_at as date) as day,
        case when gross_value > 0 then 1 else 0 end as order_count,
        greatest(gross_value, 0) as order_value,
        greatest(discount_value, 0) as discount_value,
        -- A cancellation that is a record of its own takes back what it cancels.
        greatest(-gross_value, 0) as refunded_value
    from {{ ref('int_orders_valued') }}
    union all
    select
        orders.profile_id,
        cast(refunds.refunded_at as date) as day,
        0 as order_count,
        0 as order_value,
        0 as discount_value,
        refunds.amount as refunded_value
    from {{ ref('stg_shop__refunds') }} as refunds
    inner join {{ ref('int_orders_valued') }} as orders
        on refunds.order_id = orders.order_id
    where refunds.refunded_at <= {{ as_of() }}
)

select
    profile_id,
    day,
    cast(sum(order_count) as bigint) as order_count,
    cast(sum(order_value) as decimal(18, 4)) as order_value,
    cast(sum(discount_value) as decimal(18, 4)) as discount_value,
    cast(coalesce(sum(refunded_value), 0) as decimal(18, 4)) as refunded_value
from moved
where profile_id is not null
group by profile_id, day
