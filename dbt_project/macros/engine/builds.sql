{#-
    Notes who evaluates which moment from which loads, so that a snapshot is never made of two
    builds' tables and says what it was made of.
-#}
{% macro record_build() %}
    {% if execute %}
    {% set loads = env_var('MUSTER_HOME', '../var') ~ '/landing/*/_dlt_loads/*.jsonl' %}
    {% do run_query(
        'create table if not exists main.dbt_builds '
        ~ '(number bigint, build_id varchar, as_of timestamp, loads varchar[])'
    ) %}
    {% set record %}
        insert into main.dbt_builds
        select
            coalesce(max(number), 0) + 1,
            '{{ var("build_id", invocation_id) }}',
            {{ as_of() }},
            {% if has_files(loads) -%}
            (
                select list(parse_path(filename)[-3] || '/' || load_id)
                from read_json('{{ loads }}', filename = true)
            )
            {%- else -%}
            []
            {%- endif %}
        from main.dbt_builds
    {% endset %}
    {% do run_query(record) %}
    {% endif %}
{% endmacro %}
