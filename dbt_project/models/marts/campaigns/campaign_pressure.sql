-- Grain: one row per decision of this run and cap that holds for it: how much of it is used up by
-- what was sent before.
with caps as (
    select
        decision_id,
        recipient_id,
        decided_at,
        coalesce(timezone, local_timezone) as zone,
        unnest(caps, recursive := true)
    from {{ ref('campaign_contexts') }}
    where not is_removed
)

select
    caps.decision_id,
    caps.scope,
    caps.most,
    coalesce(caps.period, caps.seconds || ' s') as within,
    count(sends.decision_id) as used
from caps
left join {{ ref('campaign_sends') }} as sends
    on
        caps.recipient_id = sends.recipient_id
        and list_contains(sends.scopes, caps.scope)
        and sends.sent_at <= caps.decided_at
        and case
            when caps.period is null
                then sends.sent_at > caps.decided_at - {{ seconds('caps.seconds') }}
            else
                {{ local_time('sends.sent_at', 'caps.zone') }}
                >= {{ local_period('caps.period', 'caps.decided_at', 'caps.zone') }}
        end
group by
    caps.decision_id, caps.scope, caps.most, coalesce(caps.period, caps.seconds || ' s')
