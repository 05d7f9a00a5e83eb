-- Grain: one row per campaign, step, profile and occurrence key that was ever decided, as it stands
-- after this run. `is_new` says that the ledger does not know it so yet.
with past as (
    select
        past.*,
        due.decision_id is not null as is_decided_again
    from {{ ref('campaign_last_decisions') }} as past
    left join {{ ref('campaign_due') }} as due
        on past.decision_id = due.decision_id
)

select
    fresh.*,
    past.decision_id is null
    or past.decision <> fresh.decision
    or past.reason <> fresh.reason
    or coalesce(past.send_at <> fresh.send_at, (past.send_at is null) <> (fresh.send_at is null))
        as is_new
from {{ ref('campaign_new_decisions') }} as fresh
left join past
    on fresh.decision_id = past.decision_id
union all by name
select
    * exclude (is_decided_again, decided_profile_id),
    false as is_new
from past
where not is_decided_again
