-- Grain: one row per campaign, step, profile and occurrence key that was decided in the last
-- decision_history_days, or still waits.
select
    cast(decision_id as varchar) as decision_id,
    cast(campaign as varchar) as campaign,
    cast(step as varchar) as step,
    cast(profile_id as varchar) as profile_id,
    cast(occurrence_key as varchar) as occurrence_key,
    cast(decision as varchar) as decision,
    cast(reason as varchar) as reason,
    cast(variant as varchar) as variant,
    is_holdout,
    cast(channel as varchar) as channel,
    cast(priority as bigint) as priority,
    cast(version as varchar) as version,
    occurred_at,
    due_at,
    expires_at,
    decided_at,
    send_at,
    cast(to_json(gates) as varchar) as gates,
    cast(to_json(caps) as varchar) as caps,
    cast(payload as varchar) as payload,
    event_ids
from {{ ref('campaign_decided') }}
where
    decision = 'hold'
    or decided_at > {{ as_of() }} - {{ interval_of(parameter('decision_history_days'), 'day') }}
