-- Grain: one row per decision of this run, with what its campaign says and who is meant.
select
    due.*,
    campaigns.campaign is null as is_removed,
    campaigns.version,
    campaigns.audience_kind,
    campaigns.audience,
    campaigns.channel,
    campaigns.priority,
    campaigns.group_name,
    campaigns.scopes,
    campaigns.caps,
    campaigns.variants,
    campaigns.holdout_share,
    campaigns.cooldown_seconds,
    campaigns.excluded_segments,
    campaigns.conversion_event,
    campaigns.conversion_seconds,
    campaigns.quiet_from,
    campaigns.quiet_to,
    campaigns.schedule,
    recipients.recipient_id,
    -- The campaign's own clock, else the profile's.
    coalesce(campaigns.timezone, traits.local_timezone) as zone,
    traits.preferred_hour
from {{ ref('campaign_due') }} as due
left join {{ ref('campaign_definitions') }} as campaigns
    on due.campaign = campaigns.campaign
inner join {{ ref('int_profile_recipients') }} as recipients
    on due.profile_id = recipients.profile_id
inner join {{ ref('profile_traits') }} as traits
    on due.profile_id = traits.profile_id
