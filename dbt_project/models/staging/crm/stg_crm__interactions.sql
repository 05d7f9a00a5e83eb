-- Grain: one row per interaction_id; the newest record known wins.
with valid as (
    select * from {{ ref('base_crm__interactions') }}
    where _rejection_reason is null
),

living as (
    {{ living('valid', 'interaction_id') }}
),

final as (
    {{ first_by(
        'living', 'interaction_id',
        '_landed_at desc, _source_file desc, _row_number desc'
    ) }}
)

select * exclude (_deleted, _rejection_reason, _record)
from final
