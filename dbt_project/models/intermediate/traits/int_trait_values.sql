-- Grain: one row per profile and trait: the value that survives, where it came from, and why.
with each_value as (
    {{ first_by(ref('int_trait_candidates'), 'profile_id, trait, value', 'survival_rank') }}
),

compared as (
    select
        *,
        row_number() over (partition by profile_id, trait order by survival_rank) as place,
        count(*) over (partition by profile_id, trait) - 1 as rejected_value_count,
        lead(first_score) over (partition by profile_id, trait order by survival_rank)
            as rival_first_score,
        lead(second_score) over (partition by profile_id, trait order by survival_rank)
            as rival_second_score,
        lead(third_score) over (partition by profile_id, trait order by survival_rank)
            as rival_third_score
    from each_value
)

select
    profile_id,
    trait,
    value,
    source,
    record_id,
    observed_at,
    landed_at,
    case
        when rejected_value_count = 0 then 'unopposed'
        when first_score is distinct from rival_first_score then first_rule
        when second_score is distinct from rival_second_score then second_rule
        when third_score is distinct from rival_third_score then third_rule
        else 'tie'
    end as decided_by,
    rejected_value_count
from compared
where place = 1
