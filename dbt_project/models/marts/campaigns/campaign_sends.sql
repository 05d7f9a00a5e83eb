-- Grain: one row per message that was sent, with what it counts as and who reads it.
select
    past.decision_id,
    past.campaign,
    past.step,
    past.occurrence_key,
    recipients.recipient_id,
    recipients.profile_id,
    past.scopes,
    past.send_at as sent_at
from {{ source('ledger', 'campaign_decisions') }} as past
left join {{ ref('int_identity_aliases') }} as aliases
    on past.profile_id = aliases.alias_profile_id
inner join {{ ref('int_profile_recipients') }} as recipients
    on coalesce(aliases.profile_id, past.profile_id) = recipients.profile_id
where past.decision = 'send' and past.recorded_at <= {{ as_of() }}
