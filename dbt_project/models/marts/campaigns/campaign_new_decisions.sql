-- Grain: one row per decision of this run: what became of it, and the first gate that failed.
with judged as (
    select
        queue.decision_id,
        queue.gates,
        queue.caps,
        queue.hold_until,
        case
            when {{ is_contender('queue.refused_by') }} then verdicts.verdict
            else queue.refused_by
        end as reason
    from {{ ref('campaign_queue') }} as queue
    left join {{ ref('campaign_verdicts') }} as verdicts
        on queue.decision_id = verdicts.decision_id
)

select
    due.decision_id,
    due.campaign,
    due.step,
    due.step_place,
    due.profile_id,
    due.recipient_id,
    due.occurrence_key,
    {{ decision_of('judged.reason') }} as decision,
    coalesce(judged.reason, '') as reason,
    assignments.variant,
    coalesce(assignments.is_holdout, false) as is_holdout,
    due.channel,
    due.priority,
    due.scopes,
    due.version,
    due.occurred_at,
    due.due_at,
    due.expires_at,
    due.decided_at,
    case
        when judged.reason is null then due.decided_at
        -- Looked at in every run, and not noted as something new each time.
        when judged.reason = 'paused' then due.due_at
        when {{ decision_of('judged.reason') }} = 'hold' then judged.hold_until
    end as send_at,
    judged.gates,
    judged.caps,
    due.payload,
    due.event_ids
from {{ ref('campaign_contexts') }} as due
inner join judged
    on due.decision_id = judged.decision_id
left join {{ ref('profile_assignments') }} as assignments
    on due.campaign = assignments.campaign and due.profile_id = assignments.profile_id
