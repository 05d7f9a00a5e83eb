-- Grain: one row per landed record of shop.orders, good or bad.
with landed as (
    select * from {{ source('landing', 'shop_orders') }}
)

select
    {{ text('order_id') }} as order_id,
    {{ text('customer_id') }} as customer_id,
    {{ normal_email('email') }} as email,
    {{ normal_phone('phone', 'country') }} as phone,
    lower({{ text('channel') }}) as channel,
    lower({{ text('status') }}) as status,
    {{ text('cart_id') }} as cart_id,
    {{ text('currency') }} as currency,
    {{ as_type('decimal(18, 4)', 'total') }} as total,
    {{ as_type('decimal(18, 4)', 'discount') }} as discount,
    {{ text('country') }} as country,
    {{ utc_time('ordered_at') }} as ordered_at,
    {{ utc_time('updated_at') }} as updated_at,
    _extra,
    coalesce(_deleted, false) as _deleted,
    _source_file,
    _row_number,
    _landed_at,
    _load_id,
    case
        -- Of what its source deleted, only the key may be known.
        when _deleted then null
        when {{ text('order_id') }} is null
            then 'order_id is missing'
        when {{ text('ordered_at') }} is null or {{ utc_time('ordered_at') }} is null
            then 'ordered_at is missing or no time'
        when {{ is_not_a('decimal(18, 4)', 'total') }}
            then 'total is not a number'
        when {{ is_not_a('decimal(18, 4)', 'discount') }}
            then 'discount is not a number'
    end as _rejection_reason,
    cast(to_json(landed) as varchar) as _record
from landed
