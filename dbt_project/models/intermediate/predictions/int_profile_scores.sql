-- Grain: one row per prediction and profile: its score in the newest scoring up to as_of. Each
-- scoring has one row without a profile, so one in which no model scored anybody counts, too.
select
    prediction,
    version,
    profile_id,
    score,
    label,
    reasons,
    scored_at
from {{ source('models', 'scores') }}
where
    profile_id is not null
    and scored_at = (
        select max(markers.scored_at)
        from {{ source('models', 'scores') }} as markers
        where markers.prediction = '' and markers.scored_at <= {{ as_of() }}
    )
