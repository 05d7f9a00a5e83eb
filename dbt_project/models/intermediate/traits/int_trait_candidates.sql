-- Grain: one row per profile, trait and record that may give it. Contact points that identify
-- nobody (`blocked_identifiers`) are no candidates.
with told as (
    {{ each_trait(ref('int_trait_records')) }}
),

contact_points as (
    select * from told
    where
        trait in ('email', 'phone')
        and not exists (
            select 1
            from {{ ref('blocked_identifiers') }} as blocked
            where
                blocked.identifier_type in ('any', told.trait)
                and lower(told.value) like blocked.pattern
        )
),

candidates as (
    select * from contact_points
    union all
    select * from told
    where trait not in ('email', 'phone')
),

scored as (
    select
        candidates.*,
        rules.first_rule,
        rules.second_rule,
        rules.third_rule,
        {{ rule_score('rules.first_rule') }} as first_score,
        {{ rule_score('rules.second_rule') }} as second_score,
        {{ rule_score('rules.third_rule') }} as third_score
    from candidates
    inner join {{ ref('int_survivorship_rules') }} as rules
        on candidates.trait = rules.trait and candidates.source = rules.source
)

select
    *,
    row_number() over (
        partition by profile_id, trait
        order by
            first_score desc nulls last,
            second_score desc nulls last,
            third_score desc nulls last,
            record_id desc
    ) as survival_rank
from scored
