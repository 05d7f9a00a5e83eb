-- Grain: one row per landed record of shop.products, good or bad.
with landed as (
    select * from {{ source('landing', 'shop_products') }}
)

select
    {{ text('product_id') }} as product_id,
    {{ text('name') }} as name,
    {{ text('category') }} as category,
    {{ text('brand') }} as brand,
    {{ as_type('decimal(18, 4)', 'price') }} as price,
    {{ text('currency') }} as currency,
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
        when {{ text('product_id') }} is null
            then 'product_id is missing'
        when {{ is_not_a('decimal(18, 4)', 'price') }}
            then 'price is not a number'
    end as _rejection_reason,
    cast(to_json(landed) as varchar) as _record
from landed
