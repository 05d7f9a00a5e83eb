-- Grain: one row per decision of this run. No record is no consent. What is shown on the site to
-- who is there needs none.
with consents as (
    select
        due.decision_id,
        due.channel,
        {{ of_greatest('changes.status', 'changes.changed_at') }} as status,
        max(changes.changed_at) as changed_at
    from {{ ref('campaign_contexts') }} as due
    left join {{ ref('int_consent_changes') }} as changes
        on
            due.profile_id = changes.profile_id
            and due.channel = changes.channel
            and due.decided_at >= changes.changed_at
    group by due.decision_id, due.channel
)

select
    decision_id,
    channel <> 'onsite' and coalesce(status, 'unknown') <> 'granted' as fails,
    case
        when channel = 'onsite' then 'needs none'
        else coalesce(status || ' at ' || changed_at, 'no record')
    end as detail
from consents
