-- Grain: one row per decision of this run. Who unsubscribed, or whose mailbox returns messages, is
-- left alone until that is taken back.
select
    due.decision_id,
    coalesce(bool_or(stops.profile_id is not null), false) as fails,
    coalesce(min(stops.kind || ' at ' || stops.stopped_at), 'neither') as detail
from {{ ref('campaign_contexts') }} as due
left join {{ ref('int_contact_stops') }} as stops
    on
        due.profile_id = stops.profile_id
        and due.channel = stops.channel
        and due.decided_at >= stops.stopped_at
        and due.decided_at < {{ or_never('stops.ended_at') }}
group by due.decision_id
