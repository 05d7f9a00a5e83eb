-- Grain: one row per decision of this run, in the order in which a recipient's are settled: by
-- priority, then the older. `refused_by` is the first gate that fails by itself.
with judged as (
    select
        decision_id,
        {{ of_least('gate', place_of_gate('gate')) }} filter (where fails) as refused_by,
        {{ records_by(
            place_of_gate('gate'), {'gate': 'gate', 'fails': 'fails', 'detail': 'detail'}
        ) }} as gates
    from {{ ref('campaign_gates') }}
    group by decision_id
),

pressure as (
    select
        decision_id,
        {{ records_by('counted_scope', {
            'scope': 'counted_scope', 'within': 'time_window', 'most': 'most', 'used': 'used'
        }) }} as caps
    from {{ ref('campaign_pressure') }}
    group by decision_id
)

select
    due.decision_id,
    due.recipient_id,
    due.profile_id,
    due.campaign,
    due.step,
    due.occurrence_key,
    due.channel,
    due.group_name,
    due.scopes,
    due.cooldown_seconds is not null as has_cooldown,
    judged.refused_by,
    judged.gates,
    coalesce(pressure.caps, []) as caps,
    clocks.scheduled_at,
    clocks.quiet_until,
    clocks.hold_until,
    row_number() over (
        partition by due.recipient_id, {{ is_contender('judged.refused_by') }}
        order by
            due.priority desc, due.due_at asc, due.campaign asc, due.step_place asc,
            due.occurrence_key asc, due.profile_id asc
    ) as place
from {{ ref('campaign_contexts') }} as due
inner join judged
    on due.decision_id = judged.decision_id
left join pressure
    on due.decision_id = pressure.decision_id
inner join {{ ref('campaign_timing') }} as clocks
    on due.decision_id = clocks.decision_id
