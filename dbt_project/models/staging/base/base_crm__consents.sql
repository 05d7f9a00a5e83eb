-- Grain: one row per landed record of crm.consents, good or bad.
with landed as (
    select * from {{ source('landing', 'crm_consents') }}
)

select
    {{ text('consent_id') }} as consent_id,
    {{ text('contact_id') }} as contact_id,
    {{ normal_email('email') }} as email,
    lower({{ text('channel') }}) as channel,
    lower({{ text('purpose') }}) as purpose,
    lower({{ text('status') }}) as status,
    {{ text('source') }} as source,
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
        when {{ text('consent_id') }} is null
            then 'consent_id is missing'
        when {{ text('occurred_at') }} is null or {{ utc_time('occurred_at') }} is null
            then 'occurred_at is missing or no time'
        when coalesce(lower({{ text('status') }}), '') not in ('granted', 'withdrawn')
            then 'status is neither granted nor withdrawn'
    end as _rejection_reason,
    cast(to_json(landed) as varchar) as _record
from landed
