-- Grain: one row per version of a campaign that was ever used by a run, and the present ones.
with known as (
    select
        campaign,
        version,
        first_used_at,
        definition
    from {{ source('ledger', 'campaign_versions') }}
    where recorded_at <= {{ as_of() }}
)

select
    campaign,
    version,
    first_used_at,
    definition,
    false as is_new
from known
union all
select
    campaigns.campaign,
    campaigns.version,
    {{ as_of() }} as first_used_at,
    campaigns.definition,
    true as is_new
from {{ ref('campaign_definitions') }} as campaigns
left join known
    on campaigns.campaign = known.campaign and campaigns.version = known.version
where campaigns.fault is null and known.version is null
