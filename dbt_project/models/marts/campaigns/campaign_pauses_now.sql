-- Grain: one row per campaign that is paused. A pause holds at once, at whatever moment a run
-- looks.
with last as (
    select
        campaign,
        {{ greatest_record({
            'number': 'number', 'action': 'action', 'changed_at': 'changed_at', 'reason': 'reason'
        }) }} as said
    from {{ source('ledger', 'campaign_pauses') }}
    group by campaign
)

select
    campaign,
    {{ field_of('said', 'changed_at') }} as changed_at,
    {{ field_of('said', 'reason') }} as reason
from last
where {{ field_of('said', 'action') }} = 'pause'
