-- Grain: one row per decision of this run. Who is held out is compared with who is not.
select
    due.decision_id,
    coalesce(assignments.is_holdout, false) as fails,
    coalesce(round(assignments.holdout_number, 6) || ' of 1', 'none') as detail
from {{ ref('campaign_contexts') }} as due
left join {{ ref('profile_assignments') }} as assignments
    on due.campaign = assignments.campaign and due.profile_id = assignments.profile_id
