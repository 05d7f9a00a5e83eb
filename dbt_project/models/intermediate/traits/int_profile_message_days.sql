-- Grain: one row per profile and UTC day: e-mails and what came of them, and tickets opened.
with records as (
    select
        {{ record_key(
            'crm_interactions', ['null', 'null', 'email', 'null', 'null', 'contact_id']
        ) }} as record_key,
        occurred_at,
        type
    from {{ ref('stg_crm__interactions') }}
    where occurred_at <= {{ as_of() }} and channel = 'email'
    union all
    select
        {{ record_key('crm_tickets', ['null', 'null', 'email', 'null', 'null', 'contact_id']) }}
            as record_key,
        opened_at as occurred_at,
        'ticket' as type
    from {{ ref('stg_crm__tickets') }}
    where opened_at <= {{ as_of() }}
)

select
    profiles.profile_id,
    cast(records.occurred_at as date) as day,
    count(*) filter (where records.type = 'sent') as email_sent_count,
    count(*) filter (where records.type = 'open') as email_open_count,
    count(*) filter (where records.type = 'click') as email_click_count,
    count(*) filter (where records.type = 'ticket') as ticket_count,
    max(records.occurred_at) filter (where records.type in ('open', 'click'))
        as last_email_engaged_at,
    max(records.occurred_at) filter (where records.type = 'unsubscribe') as email_unsubscribed_at,
    max(records.occurred_at) filter (where records.type = 'bounce') as email_bounced_at
from records
inner join {{ ref('int_record_profiles') }} as profiles
    on records.record_key = profiles.record_key
group by profiles.profile_id, cast(records.occurred_at as date)
