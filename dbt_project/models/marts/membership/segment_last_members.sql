-- Grain: one row per segment and profile that was in it at the last published build up to as_of;
-- `profile_id` is what the profile is called now, null if it is no more.
with last_change as (
    select
        segment,
        profile_id,
        {{ of_greatest('model', 'number') }} as model,
        {{ of_greatest('action', 'number') }} as action
    from {{ source('ledger', 'segment_changes') }}
    where recorded_at <= {{ as_of() }}
    group by segment, profile_id
)

select
    last_change.model,
    last_change.segment,
    last_change.profile_id as last_profile_id,
    coalesce(aliases.profile_id, found.profile_id) as profile_id
from last_change
left join {{ ref('int_identity_aliases') }} as aliases
    on last_change.profile_id = aliases.alias_profile_id
left join {{ ref('int_profiles_found') }} as found
    on last_change.profile_id = found.profile_id
where last_change.action = 'enter'
