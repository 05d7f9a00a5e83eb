{#- Whether any file matches a pattern. -#}
{% macro has_files(pattern) -%}
    {{ return(run_query("select count(*) from glob('" ~ pattern ~ "')").rows[0][0] > 0) }}
{%- endmacro %}

{#-
    Makes one view for each landing source over the Parquet files of all sources that hold it. A
    load is visible once it is complete; `known_at` hides what was landed later. An entity that
    nobody has delivered yet is an empty view.
-#}
{% macro register_landing() %}
    {% if execute %}
    {% set landing = env_var('MUSTER_HOME', '../var') ~ '/landing' %}
    {% set loads = landing ~ '/*/_dlt_loads/*.jsonl' %}
    {% do run_query('create schema if not exists landing') %}
    {% for source in graph.sources.values() if source.schema == 'landing' %}
        {% set files = landing ~ '/*/' ~ source.identifier ~ '/*.parquet' %}
        {% set view %}
        create or replace view landing.{{ source.identifier }} as
        select
            {%- for column in source.columns.values() %}
            cast({{ column.name }} as {{ column.data_type or 'varchar' }}) as {{ column.name }}
                {{- ',' if not loop.last }}
            {%- endfor %}
        from (
            select
            {%- for column in source.columns.values() %}
            cast(null as {{ column.data_type or 'varchar' }}) as {{ column.name }}
                {{- ',' if not loop.last }}
            {%- endfor %}
            where false
            {%- if has_files(loads) and has_files(files) %}
            union all by name
            select * from read_parquet('{{ files }}', union_by_name = true)
            where _load_id in (select load_id::varchar from read_json('{{ loads }}'))
            {%- if var('known_at', none) %}
                and _landed_at <= cast('{{ var("known_at") }}' as timestamptz)
            {%- endif %}
            {%- endif %}
        )
        {% endset %}
        {% do run_query(view) %}
    {% endfor %}
    {% endif %}
{% endmacro %}
