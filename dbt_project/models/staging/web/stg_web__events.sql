-- Grain: one row per event_id; the first record known wins, so a retry never changes history.
with valid as (
    select * from {{ ref('base_web__events') }}
    where _rejection_reason is null
),

living as (
    {{ living('valid', 'event_id') }}
),

final as (
    {{ first_by(
        'living', 'event_id',
        '_landed_at, _source_file, _row_number'
    ) }}
)

select * exclude (_deleted, _rejection_reason, _record)
from final
