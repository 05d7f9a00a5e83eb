-- Grain: one row per file of campaigns/: what it is for, whether it runs, and what it decided last.
with decided as (
    select
        campaign,
        count(*) filter (where decision = 'send') as sent_count,
        count(*) filter (where decision = 'hold') as held_count,
        count(*) filter (where decision = 'suppress') as suppressed_count,
        max(decided_at) as last_decided_at
    from {{ ref('campaign_decided') }}
    group by campaign
)

select
    cast(campaigns.campaign as varchar) as campaign,
    cast(campaigns.file as varchar) as file,
    cast(campaigns.fault as varchar) as fault,
    cast(campaigns.version as varchar) as version,
    cast(campaigns.description as varchar) as description,
    cast(campaigns.owner as varchar) as owner,
    cast(campaigns.audience_kind as varchar) as audience_kind,
    cast(campaigns.audience as varchar) as audience,
    cast(campaigns.channel as varchar) as channel,
    pauses.campaign is not null as is_paused,
    cast(coalesce(decided.sent_count, 0) as bigint) as sent_count,
    cast(coalesce(decided.held_count, 0) as bigint) as held_count,
    cast(coalesce(decided.suppressed_count, 0) as bigint) as suppressed_count,
    decided.last_decided_at
from {{ ref('campaign_definitions') }} as campaigns
left join decided
    on campaigns.campaign = decided.campaign
left join {{ ref('campaign_pauses_now') }} as pauses
    on campaigns.campaign = pauses.campaign
