-- Grain: one row per profile_id that was merged into another or is no longer in use.
select
    alias_profile_id,
    profile_id,
    {{ utc('valid_from') }} as valid_from
from {{ ref('int_identity_aliases') }}
