-- Grain: one row per profile: when it was first and last seen, and by how many identifiers.
select
    identity_map.profile_id,
    min(identifiers.first_occurred_at) as first_seen_at,
    max(identifiers.last_occurred_at) as last_seen_at,
    count(*) as identifier_count
from {{ ref('int_identity_map') }} as identity_map
inner join {{ ref('int_identifiers') }} as identifiers
    on identity_map.identifier = identifiers.identifier
group by identity_map.profile_id
