-- Grain: one row per segment, profile and time during which the profile belonged to it.
select
    cast(segment as varchar) as segment,
    cast(profile_id as varchar) as profile_id,
    cast(stay as bigint) as stay,
    entered_at,
    cast(entered_reason as varchar) as entered_reason,
    exited_at,
    cast(exited_reason as varchar) as exited_reason,
    cast(definition_version as bigint) as definition_version
from {{ ref('segment_stays') }}
