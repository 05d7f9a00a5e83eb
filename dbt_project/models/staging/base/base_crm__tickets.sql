-- Grain: one row per landed record of crm.tickets, good or bad.
with landed as (
    select * from {{ source('landing', 'crm_tickets') }}
)

select
    {{ text('ticket_id') }} as ticket_id,
    {{ text('contact_id') }} as contact_id,
    {{ normal_email('email') }} as email,
    {{ text('category') }} as category,
    {{ text('priority') }} as priority,
    {{ text('status') }} as status,
    {{ as_type('decimal(18, 4)', 'satisfaction') }} as satisfaction,
    {{ utc_time('opened_at') }} as opened_at,
    {{ utc_time('closed_at') }} as closed_at,
    _extra,
    coalesce(_deleted, false) as _deleted,
    _source_file,
    _row_number,
    _landed_at,
    _load_id,
    case
        -- Of what its source deleted, only the key may be known.
        when _deleted then null
        when {{ text('ticket_id') }} is null
            then 'ticket_id is missing'
        when {{ text('opened_at') }} is null or {{ utc_time('opened_at') }} is null
            then 'opened_at is missing or no time'
        when {{ is_not_a('decimal(18, 4)', 'satisfaction') }}
            then 'satisfaction is not a number'
    end as _rejection_reason,
    cast(to_json(landed) as varchar) as _record
from landed
