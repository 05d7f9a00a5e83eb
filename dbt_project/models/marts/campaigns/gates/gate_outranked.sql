-- Grain: one row per decision of this run. One of the same group and of higher priority that waits
-- for its hour has the place; what comes up in the same run is settled in campaign_verdicts.
select
    due.decision_id,
    coalesce(bool_or(held.decision_id is not null), false) as fails,
    coalesce('waiting: ' || min(held.campaign), 'no other of its group waits') as detail
from {{ ref('campaign_contexts') }} as due
left join {{ ref('campaign_held') }} as held
    on
        due.recipient_id = held.recipient_id
        and due.group_name = held.group_name
        and due.priority < held.priority
        and due.decided_at < held.send_at
group by due.decision_id
