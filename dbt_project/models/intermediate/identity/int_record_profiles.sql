-- Grain: one row per record_key that carries an identifier. All identifiers of one record are in
-- one component, so any of them names the profile.
select
    observed.record_key,
    min(identity_map.profile_id) as profile_id
from {{ ref('int_identifiers_observed') }} as observed
inner join {{ ref('int_identity_map') }} as identity_map
    on observed.identifier = identity_map.identifier
group by observed.record_key
