-- Grain: one row per profile with a score: what models say of it, a column for each entry of
-- predictions.yml. Without any model there are no rows.
select
    profile_id,
    {% for name in prediction_names() %}
        {{ score_of(name) }} as {{ name }},
    {% endfor %}
    {% for name in clustering_names() %}
        max(label) filter (where prediction = '{{ name }}') as {{ name }},
    {% endfor %}
    max(scored_at) as scored_at
from {{ ref('int_profile_scores') }}
group by profile_id
