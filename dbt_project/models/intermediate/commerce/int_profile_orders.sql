-- Grain: one row per profile with an order or a cancellation: count and value, by window too.
with orders as (
    select
        profile_id,
        cast(sum(order_count) as bigint) as order_count,
        cast(sum(store_order_count) as bigint) as store_order_count,
        cast(sum(net_value) as decimal(18, 4)) as lifetime_value,
        cast(sum(refunded_value) as decimal(18, 4)) as refunded_value,
        cast(
            round(sum(net_value) / nullif(sum(order_count), 0), 4) as decimal(18, 4)
        ) as average_order_value,
        {{ share_of('sum(discount_value)', 'sum(gross_value) + sum(discount_value)') }}
            as discount_share,
        {{ share_of('sum(discounted_order_count)', 'sum(order_count)') }}
            as discounted_order_share,
        {% for days in windows() %}
            {{ count_in_window('order_count', days) }} as order_count_{{ days }}d,
            {{ amount_in_window('net_value', days) }} as order_value_{{ days }}d,
        {% endfor %}
        min(first_order_at) as first_order_at,
        max(last_order_at) as last_order_at
    from {{ ref('int_profile_order_days') }}
    group by profile_id
),

channels as (
    select
        profile_id,
        order_channel,
        count(*) as order_count,
        max(ordered_at) as last_order_at
    from {{ ref('int_orders_attributed') }}
    where order_channel is not null
    group by profile_id, order_channel
),

preferred as (
    select
        profile_id,
        {{ greatest_record({
            'order_count': 'order_count',
            'last_order_at': 'last_order_at',
            'order_channel': 'order_channel',
        }) }} as best
    from channels
    group by profile_id
),

attributed as (
    select
        profile_id,
        {{ greatest_record({
            'ordered_at': 'ordered_at', 'order_id': 'order_id', 'channel': 'channel',
        }) }} as latest
    from {{ ref('int_orders_attributed') }}
    group by profile_id
)

select
    orders.*,
    {{ field_of('preferred.best', 'order_channel') }} as preferred_channel,
    {{ field_of('attributed.latest', 'channel') }} as last_order_attribution
from orders
left join preferred
    on orders.profile_id = preferred.profile_id
left join attributed
    on orders.profile_id = attributed.profile_id
