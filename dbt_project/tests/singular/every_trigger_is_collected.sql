{{ config(meta={'dagster': {'ref': {'name': 'trigger_candidates'}}}) }}
-- A trigger whose file the collecting model overlooked would never be acted on, without a word.
with expected as (
    {% for name in models_in('marts/triggers', 'trg_') %}
        select
            '{{ name[4:] }}' as trigger_name,
            count(*) as candidate_count
        from {{ ref(name) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

collected as (
    select
        trigger_name,
        count(*) as candidate_count
    from {{ ref('trigger_candidates') }}
    group by trigger_name
)

select expected.trigger_name
from expected
left join collected
    on expected.trigger_name = collected.trigger_name
where expected.candidate_count <> coalesce(collected.candidate_count, 0)
