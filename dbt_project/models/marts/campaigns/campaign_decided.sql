-- Grain: one row per campaign, step, profile and occurrence key that was ever decided, as it stands
-- after this run. `is_new` says that the ledger does not know it so yet.
with past as (
    select
        past.*,
        now.decision_id is not null as is_decided_again
    from {{ ref('campaign_last_decisions') }} as past
    left join {{ ref('campaign_due') }} as now
        on past.decision_id = now.decision_id
)

select
    now.*,
    past.decision_id is null
    or past.decision <> now.decision
    or past.reason <> now.reason
    or past.send_at is distinct from now.send_at as is_new
from {{ ref('campaign_new_decisions') }} as now
left join past
    on now.decision_id = past.decision_id
union all by name
select
    * exclude (is_decided_again, decided_profile_id),
    false as is_new
from past
where not is_decided_again
