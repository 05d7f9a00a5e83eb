{#-
    What every command begins with: look at landing once, and note who evaluates which moment from
    which loads, so that a snapshot is never made of two builds' tables.
-#}
{% macro begin_build() %}
    {% if execute %}
    {% set records = landing_records(env_var('MUSTER_HOME', '../var') ~ '/landing') %}
    {% do register_landing(records) %}
    {% do begin_noting_tests() %}
    {% do run_query(
        'create table if not exists main.segment_failures '
        ~ '(build_id varchar, model varchar, file varchar, is_built boolean, reason varchar, '
        ~ 'description varchar, owner varchar)'
    ) %}
    {#- Warehouses of before had none of these two. -#}
    {% for name in ('description', 'owner') %}
    {% do run_query(
        'alter table main.segment_failures add column if not exists ' ~ name ~ ' varchar'
    ) %}
    {% endfor %}
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
    {#- `dbt docs generate` and the like run this too, and build nothing. -#}
    {% if flags.WHICH in ('build', 'run', 'seed', 'snapshot', 'retry') %}
    {% do run_query(record) %}
    {% endif %}
    {% endif %}
{% endmacro %}

{#-
    Segments that this build could not build, or whose tests failed: what the job noted of them.
    dbt alone notes none, as it does not go on to what depends on them.
-#}
{% macro segment_failures() -%}
    select
        model,
        file,
        is_built,
        reason,
        description,
        owner
    from main.segment_failures
    where build_id = '{{ var("build_id", invocation_id) }}'
{%- endmacro %}

{#- Names of the models (`seg_x`) that this build could not build. -#}
{% macro unbuilt_segments() -%}
    {%- set found = [] -%}
    {%- set noted = "select 1 from information_schema.tables "
        ~ "where table_schema = 'main' and table_name = 'segment_failures'" -%}
    {%- if execute and run_query(noted).rows -%}
        {%- for row in run_query(segment_failures() ~ ' and not is_built').rows -%}
            {%- do found.append('seg_' ~ row[0]) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}
