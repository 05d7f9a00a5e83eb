-- Grain: one row per identifier; its value only as a hash, so that no address can be read here.
select
    identity_map.profile_id,
    identifiers.identifier_type,
    sha256(identifiers.identifier_value) as identifier_hash,
    identifiers.first_occurred_at as first_seen_at,
    identifiers.last_occurred_at as last_seen_at
from {{ ref('int_identity_map') }} as identity_map
inner join {{ ref('int_identifiers') }} as identifiers
    on identity_map.identifier = identifiers.identifier
