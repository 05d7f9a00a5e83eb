-- Grain: one row per profile: the recipient who reads what is sent to it. Profiles that share an
-- address or a number, directly or by others, have one recipient, named after the first of them.
with recursive shared as (
    select
        profile_id,
        contact_point,
        min(profile_id) over (partition by channel, contact_point) as first_profile_id,
        count(*) over (partition by channel, contact_point) as profile_count
    from {{ ref('int_profile_channels') }}
    where channel in ('email', 'sms')
),

links as (
    select
        profile_id,
        first_profile_id as other_profile_id
    from shared
    where profile_count > 1
    union
    select
        first_profile_id as profile_id,
        profile_id as other_profile_id
    from shared
    where profile_count > 1
),

reached as (
    select
        profile_id,
        other_profile_id
    from links
    union
    select
        reached.profile_id,
        links.other_profile_id
    from reached
    inner join links
        on reached.other_profile_id = links.profile_id
),

first_of as (
    select
        profile_id,
        min(other_profile_id) as recipient_id
    from reached
    group by profile_id
)

select
    found.profile_id,
    coalesce(first_of.recipient_id, found.profile_id) as recipient_id
from {{ ref('int_profiles_found') }} as found
left join first_of
    on found.profile_id = first_of.profile_id
