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
),

-- Apart from those that nothing counts for: an outer join with such conditions compares all with
-- all.
counted as (
    select
        windows.*,
        1 as used
    from windows
    inner join {{ ref('campaign_sends') }} as sends
        on windows.recipient_id = sends.recipient_id and windows.decided_at >= sends.sent_at
    where
        list_contains(sends.scopes, windows.counted_scope)
        and case
            when windows.calendar_period is null
                then sends.sent_at > windows.decided_at - {{ seconds('windows.rolling_seconds') }}
            else
                {{ local_time('sends.sent_at', 'windows.zone') }}
                >= {{ local_period(
                    'windows.calendar_period', 'windows.decided_at', 'windows.zone'
                ) }}
        end
    union all
    select
        *,
        0 as used
    from windows
)

select
    decision_id,
    counted_scope,
    most,
    coalesce(calendar_period, rolling_seconds || ' s') as time_window,
    cast(sum(used) as bigint) as used
from counted
group by decision_id, counted_scope, most, coalesce(calendar_period, rolling_seconds || ' s')
