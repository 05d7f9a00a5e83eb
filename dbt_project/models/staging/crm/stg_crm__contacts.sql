-- Grain: one row per contact_id; the newest record known wins.
with valid as (
    select * from {{ ref('base_crm__contacts') }}
    where _rejection_reason is null
),

living as (
    {{ living('valid', 'contact_id') }}
),

final as (
    {{ first_by(
        'living', 'contact_id',
        'updated_at desc nulls last, _landed_at desc, _source_file desc, _row_number desc'
    ) }}
)

select * exclude (_deleted, _rejection_reason, _record)
from final
