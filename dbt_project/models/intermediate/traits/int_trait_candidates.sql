-- Grain: one row per profile, trait and value that a record may give it: the best such record.
-- Contact points that identify nobody (`blocked_identifiers`) are no candidates. A country is its
-- code, however it is spelled, so that Germany and de are one value; a name nobody knows stays.
with told as (
    {{ each_trait(ref('int_trait_records')) }}
),

spelled as (
    select
        told.*,
        case
            when told.trait <> 'country' then told.value
            when spellings.country is not null then spellings.country
            when length(told.value) = 2 then upper(told.value)
            else told.value
        end as spelled_value
    from told
    left join {{ ref('country_names') }} as spellings
        on told.trait = 'country' and lower(told.value) = spellings.name
),

candidates as (
    select
        spelled.profile_id,
        spelled.trait,
        spelled.spelled_value as value,
        {{ greatest_record({
            'first_score': rule_score('rules.first_rule'),
            'second_score': rule_score('rules.second_rule'),
            'third_score': rule_score('rules.third_rule'),
            'record_id': 'spelled.record_id',
            'source': 'spelled.source',
            'observed_at': 'spelled.observed_at',
            'landed_at': 'spelled.landed_at',
            'completeness': 'spelled.completeness',
        }) }} as best
    from spelled
    inner join {{ ref('int_survivorship_rules') }} as rules
        on spelled.trait = rules.trait and spelled.source = rules.source
    group by spelled.profile_id, spelled.trait, spelled.spelled_value
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
