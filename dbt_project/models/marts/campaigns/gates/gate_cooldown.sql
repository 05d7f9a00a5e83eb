-- Grain: one row per decision of this run. After a message of a campaign there is a pause before
-- one of another occurrence; steps of the same occurrence are a journey.
select
    due.decision_id,
    coalesce(bool_or(sends.decision_id is not null), false) as fails,
    coalesce('sent at ' || max(sends.sent_at), 'no message within it') as detail
from {{ ref('campaign_contexts') }} as due
left join {{ ref('campaign_sends') }} as sends
    on
        due.recipient_id = sends.recipient_id
        and due.campaign = sends.campaign
        and due.profile_id || ' ' || due.occurrence_key
        <> sends.profile_id || ' ' || sends.occurrence_key
        and due.decided_at >= sends.sent_at
        and due.decided_at - {{ seconds('due.cooldown_seconds') }} < sends.sent_at
group by due.decision_id
