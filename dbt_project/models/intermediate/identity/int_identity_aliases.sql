-- Grain: one row per profile_id that once was somebody and is not now: whom it means today, in one
-- step however often that profile was merged since.
with once as (
    select distinct
        profile_id,
        identifier_key
    from {{ ref('int_identity_assignments') }}
    where is_first
)

select
    once.profile_id as alias_profile_id,
    identity_map.profile_id,
    identity_map.valid_from
from once
inner join {{ ref('int_identity_map') }} as identity_map
    on once.identifier_key = identity_map.identifier_key
where once.profile_id <> identity_map.profile_id
