-- Grain: one row per profile that has a CRM contact: the contact that was updated last.
with contacts as (
    select
        *,
        {{ record_key(
            'crm_contacts', ['null', 'null', 'email', 'phone', 'customer_id', 'contact_id']
        ) }} as record_key
    from {{ ref('stg_crm__contacts') }}
),

resolved as (
    select
        profiles.profile_id,
        contacts.*
    from contacts
    inner join {{ ref('int_record_profiles') }} as profiles
        on contacts.record_key = profiles.record_key
)

{{ first_by(
    'resolved', 'profile_id',
    'updated_at desc nulls last, created_at desc nulls last, contact_id'
) }}
