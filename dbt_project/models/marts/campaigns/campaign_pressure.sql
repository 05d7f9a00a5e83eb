-- Grain: one row per decision of this run and cap that holds for it: how much of it is used up by
-- what was sent before.
with caps as (
    select
        decision_id,
        recipient_id,
        decided_at,
        zone,
        unnest(caps) as cap
    from {{ ref('campaign_contexts') }}
    where not is_removed
),

windows as (
    select
        decision_id,
        recipient_id,
        decided_at,
        zone,
        {{ field_of('cap', 'scope') }} as counted_scope,
        {{ field_of('cap', 'most') }} as most,
        {{ field_of('cap', 'seconds') }} as rolling_seconds,
        {{ field_of('cap', 'period') }} as calendar_period
    from caps
)

select
    windows.decision_id,
    windows.counted_scope,
    windows.most,
    coalesce(windows.calendar_period, windows.rolling_seconds || ' s') as time_window,
    count(sends.decision_id) as used
from windows
left join {{ ref('campaign_sends') }} as sends
    on
        windows.recipient_id = sends.recipient_id
        and list_contains(sends.scopes, windows.counted_scope)
        and windows.decided_at >= sends.sent_at
        and case
            when windows.calendar_period is null
                then sends.sent_at > windows.decided_at - {{ seconds('windows.rolling_seconds') }}
            else
                {{ local_time('sends.sent_at', 'windows.zone') }}
                >= {{ local_period(
                    'windows.calendar_period', 'windows.decided_at', 'windows.zone'
                ) }}
        end
group by
    windows.decision_id,
    windows.counted_scope,
    windows.most,
    coalesce(windows.calendar_period, windows.rolling_seconds || ' s')
