-- Grain: one row per profile, channel and address, number or device. The only published table with
-- raw contact data; the file of a snapshot can be read by its owner alone.
with stops as (
    select
        profile_id,
        channel,
        max(case when kind = 'unsubscribed' then stopped_at end) as unsubscribed_at,
        max(case when kind = 'bounced' then stopped_at end) as bounced_at
    from {{ ref('int_contact_stops') }}
    where ended_at is null
    group by profile_id, channel
)

select
    cast(points.profile_id as varchar) as profile_id,
    points.channel,
    cast(points.contact_point as varchar) as contact_point,
    points.is_primary,
    case points.channel
        when 'email' then coalesce(profiles.email_consent, 'unknown')
        when 'sms' then coalesce(profiles.sms_consent, 'unknown')
        when 'push' then coalesce(profiles.push_consent, 'unknown')
        else 'needs_none'
    end as consent,
    stops.unsubscribed_at,
    stops.bounced_at,
    {{ as_of() }} as as_of
from {{ ref('int_profile_contact_points') }} as points
left join {{ ref('profiles') }} as profiles
    on points.profile_id = profiles.profile_id
left join stops
    on points.profile_id = stops.profile_id and points.channel = stops.channel
