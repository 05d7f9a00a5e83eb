-- Grain: one row per identifier and time from which on it belonged to a profile; its value only as
-- a hash, so that no address can be read here.
select
    assignments.profile_id,
    identifiers.identifier_type,
    sha256(identifiers.identifier_value) as identifier_hash,
    {{ utc('assignments.valid_from') }} as valid_from,
    {{ utc('assignments.valid_to') }} as valid_to,
    identifiers.first_occurred_at as first_seen_at,
    identifiers.last_occurred_at as last_seen_at
from {{ ref('int_identity_assignments') }} as assignments
inner join {{ ref('int_identifiers') }} as identifiers
    on assignments.identifier_key = identifiers.identifier_key
where assignments.profile_id is not null
