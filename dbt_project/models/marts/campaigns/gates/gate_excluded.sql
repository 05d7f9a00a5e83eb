-- Grain: one row per decision of this run. Excluded are members of the segments that the campaign
-- or the policy names, the global list, and who left the segment that the campaign is for.
with members as (
    select
        due.decision_id,
        list_sort(list(distinct stays.segment) filter (
            where list_contains(due.excluded_segments, stays.segment)
        )) as excluding_segments,
        bool_or(stays.segment = due.audience) as is_member
    from {{ ref('campaign_contexts') }} as due
    left join {{ ref('segment_stays') }} as stays
        on
            due.profile_id = stays.profile_id
            and due.decided_at >= stays.entered_at
            and due.decided_at < {{ or_never('stays.exited_at') }}
    group by due.decision_id
),

judged as (
    select
        due.decision_id,
        case
            when barred.profile_id is not null then 'on the list: ' || barred.why
            when due.audience_kind = 'segment' and members.is_member is not true
                then 'left ' || due.audience
            when len(members.excluding_segments) > 0
                then 'in ' || array_to_string(members.excluding_segments, ', ')
        end as excluded_because
    from {{ ref('campaign_contexts') }} as due
    inner join members
        on due.decision_id = members.decision_id
    left join {{ ref('segment_excluded_profiles') }} as barred
        on due.profile_id = barred.profile_id
)

select
    decision_id,
    excluded_because is not null as fails,
    coalesce(excluded_because, 'in none of the excluded') as detail
from judged
