-- Grain: one row per profile and trait: the value that survives, where it came from, and why.
with compared as (
    select
        *,
        row_number() over (partition by profile_id, trait order by {{ survival_order() }}) as place,
        count(*) over (partition by profile_id, trait) - 1 as rejected_value_count,
        lead(first_score) over (partition by profile_id, trait order by {{ survival_order() }})
            as rival_first_score,
        lead(second_score) over (partition by profile_id, trait order by {{ survival_order() }})
            as rival_second_score,
        lead(third_score) over (partition by profile_id, trait order by {{ survival_order() }})
            as rival_third_score
    from {{ ref('int_trait_candidates') }}
)

select
    compared.profile_id,
    compared.trait,
    compared.value,
    compared.source,
    compared.record_id,
    compared.observed_at,
    compared.landed_at,
    case
        when compared.rejected_value_count = 0 then 'unopposed'
        when compared.first_score <> compared.rival_first_score then rules.first_rule
        when compared.second_score <> compared.rival_second_score then rules.second_rule
        when compared.third_score <> compared.rival_third_score then rules.third_rule
        else 'tie'
    end as decided_by,
    compared.rejected_value_count
from compared
inner join {{ ref('int_survivorship_rules') }} as rules
    on compared.trait = rules.trait and compared.source = rules.source
where compared.place = 1
