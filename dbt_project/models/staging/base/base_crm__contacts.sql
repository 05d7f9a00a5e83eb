-- Grain: one row per landed record of crm.contacts, good or bad.
with landed as (
    select * from {{ source('landing', 'crm_contacts') }}
)

select
    {{ text('contact_id') }} as contact_id,
    {{ text('customer_id') }} as customer_id,
    {{ normal_email('email') }} as email,
    {{ normal_phone('phone', 'country') }} as phone,
    {{ text('first_name') }} as first_name,
    {{ text('last_name') }} as last_name,
    {{ as_type('date', 'birth_date') }} as birth_date,
    {{ text('gender') }} as gender,
    {{ text('country') }} as country,
    {{ text('timezone') }} as timezone,
    {{ text('city') }} as city,
    {{ text('postal_code') }} as postal_code,
    {{ text('loyalty_tier') }} as loyalty_tier,
    {{ utc_time('created_at') }} as created_at,
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
        when {{ text('contact_id') }} is null
            then 'contact_id is missing'
        when {{ text('created_at') }} is not null and {{ utc_time('created_at') }} is null
            then 'created_at is no time'
        when {{ text('updated_at') }} is not null and {{ utc_time('updated_at') }} is null
            then 'updated_at is no time'
    end as _rejection_reason,
    cast(to_json(landed) as varchar) as _record
from landed
