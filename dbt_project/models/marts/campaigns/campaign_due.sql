-- Grain: one row per campaign, step, profile and occurrence key that is decided in this run: new
-- candidates, and held ones whose time has come. What was decided for good is never opened again.
with open as (
    select
        candidates.decision_id,
        candidates.campaign,
        candidates.step,
        candidates.step_place,
        candidates.profile_id,
        candidates.occurrence_key,
        candidates.occurred_at,
        candidates.due_at,
        candidates.expires_at,
        candidates.payload,
        candidates.event_ids
    from {{ ref('campaign_candidates') }} as candidates
    left join {{ ref('campaign_last_decisions') }} as past
        on candidates.decision_id = past.decision_id
    where past.decision_id is null
    union all
    select
        decision_id,
        campaign,
        step,
        step_place,
        profile_id,
        occurrence_key,
        occurred_at,
        due_at,
        expires_at,
        payload,
        event_ids
    from {{ ref('campaign_last_decisions') }}
    where decision = 'hold' and send_at <= {{ as_of() }}
)

select
    open.*,
    {{ as_of() }} as decided_at
from open
-- Of a profile that is no more, or a campaign that is at fault, nothing is decided now.
inner join {{ ref('int_profiles_found') }} as found
    on open.profile_id = found.profile_id
left join {{ ref('campaign_definitions') }} as campaigns
    on open.campaign = campaigns.campaign
where campaigns.fault is null
