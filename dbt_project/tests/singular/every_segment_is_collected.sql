{{ config(meta={'dagster': {'ref': {'name': 'segment_catalog'}}}) }}
-- A segment whose file the collecting model overlooked would vanish without a word. A file whose
-- rows carry a tag is collected as a segment for each tag, so without rows as none.
with expected as (
    {% for name in models_in('marts/segments', 'seg_') %}
        {% set relation = ref(name) %}
        select '{{ name[4:] }}' as segment
        {% if 'tag' in column_names(relation) %}
            where exists (select 1 from {{ relation }})
        {% endif %}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select expected.segment
from expected
left join {{ ref('segment_catalog') }} as collected
    on
        expected.segment = collected.segment
        or starts_with(collected.segment, expected.segment || '_')
where collected.segment is null
