-- Grain: one row per decision of this run. What happened too long ago is not acted on any more, nor
-- is anything of a campaign that ended or is gone.
select
    decision_id,
    is_removed or coalesce(expires_at <= decided_at, false) as fails,
    case
        when is_removed then 'the campaign is gone'
        when expires_at is null then 'does not expire'
        else 'expires at ' || expires_at
    end as detail
from {{ ref('campaign_contexts') }}
