-- Grain: one row per decision of this run. Who did meanwhile what the message is for gets none.
select
    due.decision_id,
    coalesce(bool_or(conversions.profile_id is not null), false) as fails,
    coalesce(
        min(conversions.conversion || ' at ' || conversions.happened_at),
        'no ' || coalesce(min(due.conversion_event), 'conversion defined')
    ) as detail
from {{ ref('campaign_contexts') }} as due
left join {{ ref('campaign_conversions') }} as conversions
    on
        due.profile_id = conversions.profile_id
        and due.conversion_event = conversions.conversion
        and due.occurred_at < conversions.happened_at
        and due.decided_at >= conversions.happened_at
        and due.occurred_at + {{ seconds('due.conversion_seconds') }}
        >= conversions.happened_at
group by due.decision_id
