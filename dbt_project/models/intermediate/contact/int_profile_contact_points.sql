-- Grain: one row per profile, channel and address, number or device by which it can be reached.
with preferred as (
    select
        profile_id,
        channel,
        case
            when channel in ('push', 'onsite')
                then substr(contact_point, length('anonymous_id') + 2)
            else contact_point
        end as contact_point
    from {{ ref('int_profile_channels') }}
),

-- That of the golden record may be an address which links nobody, so it is none of the identifiers.
known as (
    select
        profile_id,
        channel,
        contact_point
    from preferred
    union
    select
        identifiers.profile_id,
        kinds.channel,
        substr(identifiers.identifier, length(identifiers.identifier_type) + 2) as contact_point
    from {{ ref('int_identity_map') }} as identifiers
    inner join (
        values
        ('email', 'email'),
        ('phone', 'sms'),
        ('anonymous_id', 'push'),
        ('anonymous_id', 'onsite')
    ) as kinds (identifier_type, channel)
        on identifiers.identifier_type = kinds.identifier_type
)

select
    known.profile_id,
    known.channel,
    known.contact_point,
    preferred.profile_id is not null as is_primary
from known
left join preferred
    on
        known.profile_id = preferred.profile_id
        and known.channel = preferred.channel
        and known.contact_point = preferred.contact_point
