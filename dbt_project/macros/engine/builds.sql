{#-
    What every command begins with: look at landing once, and note who evaluates which moment from
    which loads, so that a snapshot is never made of two builds' tables.
-#}
{% macro begin_build() %}
    {% if execute %}
    {% set records = landing_records(env_var('MUSTER_HOME', '../var') ~ '/landing') %}
    {% do register_landing(records) %}
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
            [{% for load in records.loads %}'{{ load }}'{{ ', ' if not loop.last }}{% endfor %}]
        from main.dbt_builds
    {% endset %}
    {% do run_query(record) %}
    {% endif %}
{% endmacro %}
