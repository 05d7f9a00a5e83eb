-- Grain: one row per record_key that carries an identifier: the profile of its strongest one, which
-- is whom the record is about when its identifiers belong to several.
select
    hubs.record_key,
    identity_map.profile_id
from {{ ref('int_record_hubs') }} as hubs
inner join {{ ref('int_identity_map') }} as identity_map
    on hubs.identifier = identity_map.identifier
