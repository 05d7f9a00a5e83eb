-- Grain: one row per campaign and profile that came into question: its variant, and whether it is
-- held out, since when. Of a merged profile it is that of the one which lives on, once something
-- was decided under its name.
with decided as (
    select
        past.campaign,
        past.profile_id as name_then,
        coalesce(aliases.profile_id, past.profile_id) as profile_id,
        past.variant,
        past.is_holdout,
        past.decided_at
    from {{ source('ledger', 'campaign_decisions') }} as past
    left join {{ ref('int_identity_aliases') }} as aliases
        on past.profile_id = aliases.alias_profile_id
    where past.recorded_at <= {{ as_of() }} and past.variant is not null
    union all
    select
        campaign,
        profile_id as name_then,
        profile_id,
        variant,
        is_holdout,
        decided_at
    from {{ ref('campaign_new_decisions') }}
    where variant is not null
),

assigned as (
    select
        campaign,
        profile_id,
        min(decided_at) as assigned_at,
        {{ greatest_record({
            'is_own': 'name_then = profile_id', 'decided_at': 'decided_at',
            'variant': 'variant', 'is_holdout': 'is_holdout',
        }) }} as newest,
        list(distinct {{ record_of({'variant': 'variant', 'is_holdout': 'is_holdout'}) }}) filter (
            where name_then <> profile_id
        ) as by_merge
    from decided
    group by campaign, profile_id
)

select
    cast(campaign as varchar) as campaign,
    cast(profile_id as varchar) as profile_id,
    cast({{ field_of('newest', 'variant') }} as varchar) as variant,
    {{ field_of('newest', 'is_holdout') }} as is_holdout,
    assigned_at,
    coalesce(len(list_filter(
        by_merge,
        one -> one.variant <> {{ field_of('newest', 'variant') }}
        or one.is_holdout <> {{ field_of('newest', 'is_holdout') }}
    )) > 0, false) as changed_by_merge
from assigned
