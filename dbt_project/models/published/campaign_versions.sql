-- Grain: one row per version of a campaign that decided something.
select
    cast(campaign as varchar) as campaign,
    cast(version as varchar) as version,
    first_used_at,
    cast(definition as varchar) as definition
from {{ ref('campaign_versions_known') }}
