-- Grain: one row per profile and channel in which it can be reached. Push and on-site messages go
-- to a device, so to whom none is known there is no way.
select
    profile_id,
    'email' as channel,
    email as contact_point
from {{ ref('int_golden_records') }}
where email is not null
union all
select
    profile_id,
    'sms' as channel,
    phone as contact_point
from {{ ref('int_golden_records') }}
where phone is not null
union all
select
    devices.profile_id,
    channels.channel,
    min(devices.identifier) as contact_point
from {{ ref('int_identity_map') }} as devices
cross join (values ('push'), ('onsite')) as channels (channel)
where devices.identifier_type = 'anonymous_id'
group by devices.profile_id, channels.channel
