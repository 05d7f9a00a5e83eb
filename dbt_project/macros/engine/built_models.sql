{#-
    What the tables in the warehouse were made of: a hash of each model's file and of the SQL it
    became, white space aside. So a preview knows which tables are no longer what the files say.
    The salt of behaviour is left out, as any new threshold changes it and it changes no outcome.
-#}
{% macro note_built_models(results) -%}
    {%- set rows = [] -%}
    {%- if execute -%}
        {%- set salt = behaviour_salt() -%}
        {%- for result in results -%}
            {%- set node = result.node -%}
            {%- if node.resource_type == 'model' and result.status == 'success' -%}
                {%- set sql = (node.compiled_code or '').replace(salt, '').split() | join(' ') -%}
                {%- do rows.append(
                    "('" ~ node.alias ~ "', '" ~ node.checksum.checksum ~ "', '"
                    ~ local_md5(sql) ~ "')"
                ) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if rows %}
    create table if not exists main.dbt_built_models
    (name varchar primary key, file_hash varchar, sql_hash varchar);
    insert or replace into main.dbt_built_models values {{ rows | join(', ') }};
    {%- endif -%}
{%- endmacro %}
