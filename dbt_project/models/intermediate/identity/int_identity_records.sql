-- Grain: one row per source and combination of identifiers that some record carries.
with records as (
    select
        'web_events' as source, anonymous_id, user_id, email, null as phone,
        null as customer_id, null as contact_id, occurred_at, _landed_at
    from {{ ref('stg_web__events') }}
    union all
    select
        'crm_contacts', null, null, email, phone, customer_id, contact_id,
        coalesce(created_at, updated_at), _landed_at
    from {{ ref('stg_crm__contacts') }}
    union all
    select 'crm_consents', null, null, email, null, null, contact_id, occurred_at, _landed_at
    from {{ ref('stg_crm__consents') }}
    union all
    select 'crm_interactions', null, null, email, null, null, contact_id, occurred_at, _landed_at
    from {{ ref('stg_crm__interactions') }}
    union all
    select 'crm_tickets', null, null, email, null, null, contact_id, opened_at, _landed_at
    from {{ ref('stg_crm__tickets') }}
    union all
    select 'shop_orders', null, null, email, phone, customer_id, null, ordered_at, _landed_at
    from {{ ref('stg_shop__orders') }}
)

select
    {{ key_of(['source', 'anonymous_id', 'user_id', 'email', 'phone', 'customer_id', 'contact_id']) }}
        as record_key,
    source,
    anonymous_id,
    user_id,
    email,
    phone,
    customer_id,
    contact_id,
    min(occurred_at) as first_occurred_at,
    max(occurred_at) as last_occurred_at,
    min(_landed_at) as first_landed_at,
    count(*) as record_count
from records
where occurred_at <= {{ as_of() }} or occurred_at is null
group by all
