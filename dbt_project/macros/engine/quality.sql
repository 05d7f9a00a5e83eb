{#- What each data test said when it ran last: the test, its table, the result and as_of. -#}
{% macro noted_tests() -%}
    select
        test_id,
        table_name,
        status,
        as_of
    from main.dbt_tests
{%- endmacro %}

{#- The table that `note_tests` fills; whoever reads it, finds it. -#}
{% macro begin_noting_tests() %}
    {% do run_query(
        'create table if not exists main.dbt_tests '
        ~ '(test_id varchar primary key, table_name varchar, status varchar, as_of timestamp)'
    ) %}
{% endmacro %}

{#-
    Notes what the data tests of a command said of the tables they hang on; neither values nor
    counts of rows. Tests of no table in particular, unit tests and tests that were skipped say
    nothing of a table.
-#}
{% macro note_tests(results) -%}
    {%- set rows = [] -%}
    {%- if execute -%}
        {%- for result in results -%}
            {%- set node = result.node -%}
            {%- set table = graph.nodes.get(node.attached_node) if node.resource_type == 'test' -%}
            {%- if table and result.status != 'skipped' -%}
                {%- do rows.append(
                    "('" ~ node.unique_id ~ "', '" ~ table.schema ~ '.' ~ table.alias ~ "', '"
                    ~ result.status ~ "', " ~ as_of() ~ ")"
                ) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if rows %}
    insert or replace into main.dbt_tests values {{ rows | join(', ') }};
    {%- endif -%}
{%- endmacro %}
