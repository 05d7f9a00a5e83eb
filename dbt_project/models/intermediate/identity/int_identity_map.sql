-- Grain: one row per identifier that belongs to a profile now.
select
    identifiers.identifier,
    identifiers.identifier_type,
    identifiers.identifier_key,
    assignments.profile_id,
    assignments.valid_from
from {{ ref('int_identity_assignments') }} as assignments
inner join {{ ref('int_identifiers') }} as identifiers
    on assignments.identifier_key = identifiers.identifier_key
where assignments.valid_to is null and assignments.profile_id is not null
