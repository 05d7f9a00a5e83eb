-- Grain: one row per decision of this run. A paused campaign waits, whatever else holds; its
-- candidates are looked at again when it goes on.
select
    due.decision_id,
    pauses.campaign is not null as fails,
    coalesce(
        'paused at ' || pauses.changed_at || case
            when pauses.reason <> '' then ': ' || pauses.reason else ''
        end,
        'goes on'
    ) as detail
from {{ ref('campaign_contexts') }} as due
left join {{ ref('campaign_pauses_now') }} as pauses
    on due.campaign = pauses.campaign
