-- Grain: one row per campaign, step, profile and occurrence key that was decided before as_of,
-- under the name that the profile has now. Of two that a merge made one, what was sent counts, then
-- what is final, then the later.
with decided as (
    select
        past.*,
        coalesce(aliases.profile_id, past.profile_id) as current_profile_id,
        case past.decision when 'send' then 0 when 'suppress' then 1 else 2 end as place
    from {{ source('ledger', 'campaign_decisions') }} as past
    left join {{ ref('int_identity_aliases') }} as aliases
        on past.profile_id = aliases.alias_profile_id
    where past.recorded_at <= {{ as_of() }}
),

-- Of each as it was called the last word; a profile's own numbers ascend.
last_words as (
    {{ first_by(
        'decided', 'campaign, step, profile_id, occurrence_key', 'number desc, decision_id'
    ) }}
),

counted as (
    {{ first_by(
        'last_words', 'campaign, step, current_profile_id, occurrence_key',
        'place, number desc, decision_id'
    ) }}
)

select
    * exclude (profile_id, current_profile_id, place, number, recorded_at, decision_id),
    profile_id as decided_profile_id,
    current_profile_id as profile_id,
    {{ key_of(['campaign', 'step', 'current_profile_id', 'occurrence_key']) }} as decision_id
from counted
