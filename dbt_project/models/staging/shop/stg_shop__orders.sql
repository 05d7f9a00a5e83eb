-- Grain: one row per order_id; the newest record known wins.
with valid as (
    select * from {{ ref('base_shop__orders') }}
    where _rejection_reason is null
),

living as (
    {{ living('valid', 'order_id') }}
),

final as (
    {{ first_by(
        'living', 'order_id',
        'updated_at desc nulls last, _landed_at desc, _source_file desc, _row_number desc'
    ) }}
)

select * exclude (_deleted, _rejection_reason, _record)
from final
