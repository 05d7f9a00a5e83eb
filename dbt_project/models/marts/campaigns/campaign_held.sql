-- Grain: one row per decision that waits for its hour, with its place among others.
select
    past.decision_id,
    past.campaign,
    past.send_at,
    recipients.recipient_id,
    campaigns.group_name,
    campaigns.priority
from {{ ref('campaign_last_decisions') }} as past
inner join {{ ref('int_profile_recipients') }} as recipients
    on past.profile_id = recipients.profile_id
inner join {{ ref('campaign_definitions') }} as campaigns
    on past.campaign = campaigns.campaign
where
    past.decision = 'hold'
    and past.reason in ('scheduled', 'quiet_hours')
    and campaigns.group_name is not null
