-- Grain: one row per decision of this run. Who cannot be reached in the channel gets nothing there.
select
    due.decision_id,
    channels.profile_id is null as fails,
    case
        when channels.profile_id is null then 'no way to reach it by ' || due.channel
        else 'can be reached by ' || due.channel
    end as detail
from {{ ref('campaign_contexts') }} as due
left join {{ ref('int_profile_channels') }} as channels
    on due.profile_id = channels.profile_id and due.channel = channels.channel
