-- Grain: one row per profile, trait and value that a record may give it: the best such record.
-- Contact points that identify nobody (`blocked_identifiers`) are no candidates.
with told as (
    {{ each_trait(ref('int_trait_records')) }}
),

candidates as (
    select
        told.profile_id,
        told.trait,
        told.value,
        {{ greatest_record({
            'first_score': rule_score('rules.first_rule'),
            'second_score': rule_score('rules.second_rule'),
            'third_score': rule_score('rules.third_rule'),
            'record_id': 'told.record_id',
            'source': 'told.source',
            'observed_at': 'told.observed_at',
            'landed_at': 'told.landed_at',
            'completeness': 'told.completeness',
        }) }} as best
    from told
    inner join {{ ref('int_survivorship_rules') }} as rules
        on told.trait = rules.trait and told.source = rules.source
    group by told.profile_id, told.trait, told.value
)

select
    candidates.profile_id,
    candidates.trait,
    candidates.value,
    candidates.best.source,
    candidates.best.record_id,
    candidates.best.observed_at,
    candidates.best.landed_at,
    candidates.best.completeness,
    candidates.best.first_score,
    candidates.best.second_score,
    candidates.best.third_score
from candidates
where not exists (
    select 1
    from {{ ref('int_identifiers_blocked') }} as blocked
    where
        candidates.trait = blocked.identifier_type
        and candidates.value = blocked.identifier_value
)
