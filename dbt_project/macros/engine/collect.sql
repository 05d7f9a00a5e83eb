{#-
    Names of the models in a folder of models/, such as 'marts/segments'.

    dbt has no public way to ask this while it parses, which is when dependencies are made; the
    files it has read hang on `ref` itself. tests/unit/test_collect.py notices should that change.
-#}
{% macro models_in(folder, prefix) -%}
    {%- set names = [] -%}
    {%- for file in ref.manifest.files.values() -%}
        {%- set path = file.path.relative_path | replace('\\', '/') -%}
        {%- if (folder ~ '/') in path and path.endswith('.sql') -%}
            {%- set name = path.split('/')[-1][:-4] -%}
            {%- if name.startswith(prefix) -%}{%- do names.append(name) -%}{%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(names | sort | unique | list) }}
{%- endmacro %}

{#- Unites all models of a folder; `columns` are taken from each, and `label` names the model. -#}
{% macro collect(folder, prefix, label, columns) -%}
    {%- for name in models_in(folder, prefix) %}
    select
        '{{ name[prefix | length:] }}' as {{ label }},
        {{ columns | join(', ') }}
    from {{ ref(name) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}

{#-
    Unites all segments as they were built. Of one that could not be built (whatever stands in its
    table is old), or that has no profile_id, there are no rows: segment_verdicts says why.
-#}
{% macro collect_segments() -%}
    {%- set unbuilt = unbuilt_segments() -%}
    {%- for name in models_in('marts/segments', 'seg_') %}
    {%- set relation = ref(name) %}
    {%- set columns = [] if name in unbuilt else column_names(relation) %}
    select
        '{{ name[4:] }}' as model,
        '{{ name[4:] }}'
        {%- if 'tag' in columns %} || '_' || tag{% endif %} as segment,
        {% if 'profile_id' in columns -%}
        cast(profile_id as varchar)
        {%- else -%}
        cast(null as varchar)
        {%- endif %} as profile_id
    {%- if 'profile_id' in columns %}
    from {{ relation }}
    {%- else %}
    where false
    {%- endif %}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}

{#- Names of a relation's columns; none while dbt parses, or if there is no such relation. -#}
{% macro column_names(relation) -%}
    {{ return(adapter.get_columns_in_relation(relation) | map(attribute='name') | list
        if execute and load_relation(relation) else []) }}
{%- endmacro %}

{#-
    One row for each segment's model: what its YAML says, and a hash of its SQL and of the values of
    the parameters in it. `wrong_columns` are those of a table that has no profile_id.
-#}
{% macro segment_definitions() -%}
    {%- set unbuilt = unbuilt_segments() -%}
    {%- set in_force = parameters_in_force() if execute else {} -%}
    {%- for name in models_in('marts/segments', 'seg_') %}
    {%- set node = (graph.nodes if execute else {}).get('model.' ~ project_name ~ '.' ~ name, {}) %}
    {%- set meta = node.get('config', {}).get('meta', {}) %}
    {%- set sql = node.get('raw_code', '') %}
    {%- set values = [] %}
    {#- One that parameters.yml lacks is no reason to stop: the segment itself is held for it. -#}
    {%- for parameter_name in modules.re.findall("parameter\\('(\\w+)'\\)", sql) %}
        {%- do values.append(in_force.get(parameter_name, '') | string) -%}
    {%- endfor %}
    {%- set columns = [] if name in unbuilt else column_names(ref(name)) %}
    {%- set wrong_columns = '' if 'profile_id' in columns else columns | join(', ') %}
    select
        {{ literals([name[4:]]) }} as model,
        {{ literals(['dbt_project/' ~ node.get('original_file_path', '')]) }} as file,
        {{ literals([node.get('description', '') | replace('\n', ' ') | trim]) }} as description,
        {{ literals([meta.get('owner', '') | string]) }} as owner,
        {{ literals([local_md5(sql ~ values | join(' '))[:12]]) }} as definition_hash,
        {{ literals([(meta.get('exclusive_set') or '') | string]) }} as exclusive_set,
        {#- What is of another kind never becomes SQL, should a segment with it be let in. #}
        {{ (meta.get('priority') or 0) | int }} as priority,
        {{ meta.get('may_be_empty') is sameas true }} as may_be_empty,
        {{ meta.get('may_hold_everybody') is sameas true }} as may_hold_everybody,
        {{ 'tag' in columns }} as has_tags,
        {{ literals([wrong_columns]) }} as wrong_columns
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
