{{ config(meta={'dagster': {'ref': {'name': 'campaign_decided'}}}) }}
-- Every candidate of every campaign has exactly one decision, and what is not sent has a reason: so
-- decisions and reasons add up to the candidates, and nobody is forgotten without a word.
select
    candidates.decision_id,
    decided.decision,
    decided.reason
from {{ ref('campaign_candidates') }} as candidates
left join {{ ref('campaign_decided') }} as decided
    on candidates.decision_id = decided.decision_id
where
    decided.decision_id is null
    or (decided.decision = 'send') <> (decided.reason = '')
