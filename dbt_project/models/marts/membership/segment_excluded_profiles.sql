-- Grain: one row per profile that belongs to no segment: the list of excluded_identifiers.csv.
select
    identity_map.profile_id,
    min(excluded.why) as why
from {{ ref('int_identity_map') }} as identity_map
inner join {{ ref('excluded_identifiers') }} as excluded
    on
        identity_map.identifier_type = excluded.identifier_type
        and identity_map.identifier like excluded.identifier_type || ':' || excluded.pattern
group by identity_map.profile_id
