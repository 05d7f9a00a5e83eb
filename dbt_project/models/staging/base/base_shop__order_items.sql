-- Grain: one row per landed record of shop.order_items, good or bad.
with landed as (
    select * from {{ source('landing', 'shop_order_items') }}
)

select
    {{ text('order_item_id') }} as order_item_id,
    {{ text('order_id') }} as order_id,
    {{ text('product_id') }} as product_id,
    {{ as_type('decimal(18, 4)', 'quantity') }} as quantity,
    {{ as_type('decimal(18, 4)', 'unit_price') }} as unit_price,
    {{ as_type('decimal(18, 4)', 'discount') }} as discount,
    {{ text('description') }} as description,
    _extra,
    coalesce(_deleted, false) as _deleted,
    _source_file,
    _row_number,
    _landed_at,
    _load_id,
    case
        -- Of what its source deleted, only the key may be known.
        when _deleted then null
        when {{ text('order_item_id') }} is null
            then 'order_item_id is missing'
        when {{ text('order_id') }} is null
            then 'order_id is missing'
        when {{ text('product_id') }} is null
            then 'product_id is missing'
        when {{ is_not_a('decimal(18, 4)', 'quantity') }}
            then 'quantity is not a number'
        when {{ is_not_a('decimal(18, 4)', 'unit_price') }}
            then 'unit_price is not a number'
        when {{ text('quantity') }} is null
            then 'quantity is missing'
        when {{ text('unit_price') }} is null
            then 'unit_price is missing'
        when {{ as_type('decimal(18, 4)', 'unit_price') }} < 0
            then 'unit_price is negative'
    end as _rejection_reason,
    cast(to_json(landed) as varchar) as _record
from landed
