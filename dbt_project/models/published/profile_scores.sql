-- Grain: one row per prediction and profile: its score or cluster now, and why.
select
    cast(prediction as varchar) as prediction,
    cast(profile_id as varchar) as profile_id,
    cast(version as bigint) as model_version,
    cast(score as decimal(18, 4)) as score,
    cast(label as varchar) as cluster_name,
    reasons,
    scored_at,
    {{ as_of() }} as as_of
from {{ ref('int_profile_scores') }}
