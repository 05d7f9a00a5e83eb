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
    {%- set node = (graph.nodes if execute else {}).get('model.' ~ project_name ~ '.' ~ name, {}) %}
    {%- set tag = " || '_' || tag" if 'tag' in node.get('columns', {}) else '' %}
    select
        '{{ name[prefix | length:] }}'{{ tag }} as {{ label }},
        {{ columns | join(', ') }}
    from {{ ref(name) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}

{#- One row for each model of a folder: name; description, owner from its YAML; hash of its SQL. -#}
{% macro catalogue(folder, prefix) -%}
    {%- for name in models_in(folder, prefix) %}
    {%- set node = (graph.nodes if execute else {}).get('model.' ~ project_name ~ '.' ~ name, {}) %}
    {%- set description = node.get("description", "") | replace("\n", " ") | trim %}
    select
        '{{ name[prefix | length:] }}' as segment,
        '{{ description | replace("'", "''") }}' as description,
        '{{ node.get("config", {}).get("meta", {}).get("owner", "") }}' as owner,
        '{{ node.get("checksum", {}).get("checksum", "")[:12] }}' as definition_hash
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
