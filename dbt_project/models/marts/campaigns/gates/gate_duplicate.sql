-- Grain: one row per decision of this run. Who reads the same mailbox as another profile that got
-- this very message does not get it again.
select
    due.decision_id,
    coalesce(bool_or(sends.decision_id is not null), false) as fails,
    coalesce('sent to ' || min(sends.profile_id), 'not sent before') as detail
from {{ ref('campaign_contexts') }} as due
left join {{ ref('campaign_sends') }} as sends
    on
        due.recipient_id = sends.recipient_id
        and due.campaign = sends.campaign
        and due.step = sends.step
        and due.occurrence_key = sends.occurrence_key
        and due.decided_at >= sends.sent_at
group by due.decision_id
