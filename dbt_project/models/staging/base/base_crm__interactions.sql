-- Grain: one row per landed record of crm.interactions, good or bad.
with landed as (
    select * from {{ source('landing', 'crm_interactions') }}
)

select
    {{ text('interaction_id') }} as interaction_id,
    {{ text('contact_id') }} as contact_id,
    {{ normal_email('email') }} as email,
    lower({{ text('channel') }}) as channel,
    lower({{ text('type') }}) as type,
    {{ text('campaign') }} as campaign,
    {{ text('message_id') }} as message_id,
    {{ utc_time('occurred_at') }} as occurred_at,
    _extra,
    coalesce(_deleted, false) as _deleted,
    _source_file,
    _row_number,
    _landed_at,
    _load_id,
    case
        -- Of what its source deleted, only the key may be known.
        when _deleted then null
        when {{ text('interaction_id') }} is null
            then 'interaction_id is missing'
        when {{ text('occurred_at') }} is null or {{ utc_time('occurred_at') }} is null
            then 'occurred_at is missing or no time'
        when
            coalesce(lower({{ text('type') }}), '') not in (
                'sent', 'delivered', 'open', 'click', 'unsubscribe', 'bounce'
            )
            then 'type is not a known interaction'
    end as _rejection_reason,
    cast(to_json(landed) as varchar) as _record
from landed
