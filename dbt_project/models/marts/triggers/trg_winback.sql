-- Grain: one row per profile and month in which a scoring called it likely to leave; the first one.
{% set start = as_of() ~ ' - ' ~ interval_of(parameter('trigger_lookback_days'), 'day') %}
with scorings as (
    select
        coalesce(aliases.profile_id, scores.profile_id) as profile_id,
        cast(date_trunc('month', scores.scored_at) as date) as scored_month,
        scores.profile_id as scored_profile_id,
        scores.score,
        scores.scored_at
    from {{ source('models', 'scores') }} as scores
    left join {{ ref('int_identity_aliases') }} as aliases
        on scores.profile_id = aliases.alias_profile_id
    where
        scores.prediction = 'churn_probability_{{ parameter('churn_days') }}d'
        and scores.score > {{ parameter('churn_probability') }}
        and scores.scored_at <= {{ as_of() }}
        and scores.scored_at >= date_trunc('month', {{ start }})
),

firsts as (
    {{ first_by('scorings', 'profile_id, scored_month', 'scored_at, scored_profile_id') }}
)

select
    firsts.profile_id,
    substr(cast(firsts.scored_month as varchar), 1, 7) as occurrence_key,
    firsts.scored_at as occurred_at,
    firsts.scored_at as available_at,
    {{ moment_after('firsts.scored_at', parameter('winback_expiry_hours'), 'hour') }}
        as expires_at,
    {{ json_object({
        'churn_probability': 'round(' ~ json_number('firsts.score') ~ ', 4)',
        'days': parameter('churn_days'),
    }) }} as payload,
    {{ no_event_ids() }} as event_ids
from firsts
inner join {{ ref('int_profiles_found') }} as profiles
    on firsts.profile_id = profiles.profile_id
where {{ is_listed('firsts.scored_at', parameter('trigger_lookback_days')) }}
