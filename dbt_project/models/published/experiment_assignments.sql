-- Grain: one row per campaign and profile that came into question: its variant, and whether it is
-- held out, since when. Of a profile that was merged it is that of the one which lives on.
with decided as (
    select
        campaign,
        profile_id,
        min(decided_at) as assigned_at,
        {{ of_greatest('variant', 'decided_at') }} as variant,
        bool_or(is_holdout) as is_holdout
    from {{ ref('campaign_decided') }}
    where variant is not null
    group by campaign, profile_id
)

select
    cast(campaign as varchar) as campaign,
    cast(profile_id as varchar) as profile_id,
    cast(variant as varchar) as variant,
    is_holdout,
    assigned_at
from decided
