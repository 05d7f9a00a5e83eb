-- Grain: one row per contact, with what tells people apart who share no identifier.
with contacts as (
    select
        *,
        {{ record_key(
            'crm_contacts', ['null', 'null', 'email', 'phone', 'customer_id', 'contact_id']
        ) }} as record_key
    from {{ ref('stg_crm__contacts') }}
)

select
    contacts.contact_id,
    hubs.identifier,
    contacts._landed_at as first_landed_at,
    contacts.first_name,
    contacts.last_name,
    contacts.birth_date,
    contacts.gender,
    contacts.email,
    contacts.phone,
    contacts.city,
    contacts.postal_code,
    contacts.country
from contacts
inner join {{ ref('int_record_hubs') }} as hubs
    on contacts.record_key = hubs.record_key
