-- Grain: one row per order_item_id; the newest record known wins.
with valid as (
    select * from {{ ref('base_shop__order_items') }}
    where _rejection_reason is null
),

living as (
    {{ living('valid', 'order_item_id') }}
),

final as (
    {{ first_by(
        'living', 'order_item_id',
        '_landed_at desc, _source_file desc, _row_number desc'
    ) }}
)

select * exclude (_deleted, _rejection_reason, _record)
from final
