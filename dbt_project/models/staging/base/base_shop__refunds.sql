-- Grain: one row per landed record of shop.refunds, good or bad.
with landed as (
    select * from {{ source('landing', 'shop_refunds') }}
)

select
    {{ text('refund_id') }} as refund_id,
    {{ text('order_id') }} as order_id,
    {{ as_type('decimal(18, 4)', 'amount') }} as amount,
    {{ text('reason') }} as reason,
    {{ utc_time('refunded_at') }} as refunded_at,
    _extra,
    coalesce(_deleted, false) as _deleted,
    _source_file,
    _row_number,
    _landed_at,
    _load_id,
    case
        -- Of what its source deleted, only the key may be known.
        when _deleted then null
        when {{ text('refund_id') }} is null
            then 'refund_id is missing'
        when {{ text('order_id') }} is null
            then 'order_id is missing'
        when {{ text('refunded_at') }} is null or {{ utc_time('refunded_at') }} is null
            then 'refunded_at is missing or no time'
        when {{ as_type('decimal(18, 4)', 'amount') }} is null
            then 'amount is missing or not a number'
    end as _rejection_reason,
    cast(to_json(landed) as varchar) as _record
from landed
