-- Grain: one row per change that an edge explains: a merge, a split, an edge rejected or accepted
-- after all.
select
    changes.kind,
    changes.changed_at,
    changes.profile_id,
    changes.other_profile_id,
    left_end.identifier as identifier_a,
    left_end.identifier_type as type_a,
    right_end.identifier as identifier_b,
    right_end.identifier_type as type_b,
    changes.rule,
    changes.reason
from {{ ref('int_identity_log') }} as changes
inner join {{ ref('int_identifiers') }} as left_end
    on changes.edge_key_a = left_end.identifier_key
inner join {{ ref('int_identifiers') }} as right_end
    on changes.edge_key_b = right_end.identifier_key
where changes.kind in ('merged', 'split', 'rejected', 'accepted')
