{#- Whether any file matches a pattern. -#}
{% macro has_files(pattern) -%}
    {{ return(run_query("select count(*) from glob('" ~ pattern ~ "')").rows[0][0] > 0) }}
{%- endmacro %}

{#- The complete loads, the joined files, and the files these replace, of all sources. -#}
{% macro landing_records(landing) -%}
    {%- set records = {'loads': {}, 'joined': {}, 'replaced': {}} -%}
    {%- set loads = landing ~ '/*/_dlt_loads/*.jsonl' -%}
    {%- set joins = landing ~ '/*/_compactions/*.json' -%}
    {%- if has_files(loads) -%}
        {%- for row in run_query(
            "select distinct parse_path(filename)[-3] || '/' || load_id from read_json('"
            ~ loads ~ "', filename = true, columns = {'load_id': 'varchar'})"
        ).rows -%}
            {%- do records.loads.update({row[0]: true}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if has_files(joins) -%}
        {%- for row in run_query(
            "select parse_path(filename)[-3] || '/' || \"table\" || '/', file, "
            ~ "array_to_string(replaces, '|') from read_json('" ~ joins ~ "', filename = true)"
        ).rows -%}
            {%- do records.joined.update({row[0] ~ row[1]: true}) -%}
            {%- for name in row[2].split('|') -%}
                {%- do records.replaced.update({row[0] ~ name: true}) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(records) }}
{%- endmacro %}

{#-
    The Parquet files that hold an entity's rows, of all sources: those of complete loads, each row
    once. The records were read before, so what is loaded or joined meanwhile does not count yet.
-#}
{% macro landed_files(landing, entity, records) -%}
    {%- set listed = run_query(
        "select file, parse_path(file)[-3] as source, parse_path(file)[-1] as name from glob('"
        ~ landing ~ '/*/' ~ entity ~ "/*.parquet') order by file"
    ) -%}
    {%- set found = [] -%}
    {%- for row in listed.rows -%}
        {%- set place = row[1] ~ '/' ~ entity ~ '/' ~ row[2] -%}
        {%- set load = row[1] ~ '/' ~ '.'.join(row[2].split('.')[:2]) -%}
        {%- set counts = place in records.joined or load in records.loads -%}
        {%- if counts and place not in records.replaced -%}
            {%- do found.append(row[0].replace("'", "''")) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#- The Parquet files of a table that builds leave: `ledger/<table>` and the like. -#}
{% macro kept_files(folder, table) -%}
    {%- set pattern = env_var('MUSTER_HOME', '../var') ~ '/' ~ folder ~ '/' ~ table
        ~ '/*.parquet' -%}
    {%- set found = [] -%}
    {%- for row in run_query("select file from glob('" ~ pattern ~ "') order by file").rows -%}
        {%- do found.append(row[0].replace("'", "''")) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#-
    Makes one view for each landing source over the Parquet files of all sources that hold it, as
    they are now: every model of a command reads the same rows, whatever is loaded meanwhile.
    `known_at` hides what was landed later. An entity that nobody has delivered is an empty view.
    Tables of the ledger, scores of models and what validation said are files of whole builds, and
    become views as well.
-#}
{% macro register_landing(records=none) %}
    {% set landing = env_var('MUSTER_HOME', '../var') ~ '/landing' %}
    {% set records = records or landing_records(landing) %}
    {% do run_query('create schema if not exists landing') %}
    {% do run_query('create schema if not exists ledger') %}
    {% do run_query('create schema if not exists models') %}
    {% do run_query('create schema if not exists quality') %}
    {% for source in graph.sources.values() %}
        {% set is_landing = source.schema == 'landing' %}
        {% set files = landed_files(landing, source.identifier, records) if is_landing
            else kept_files(source.schema, source.identifier) %}
        {% set view %}
        create or replace view {{ source.schema }}.{{ source.identifier }} as
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
            {%- if files %}
            union all by name
            select * from read_parquet(['{{ files | join("', '") }}'], union_by_name = true)
            {%- if is_landing and var('known_at', none) %}
            where _landed_at <= cast('{{ var("known_at") }}' as timestamptz)
            {%- endif %}
            {%- endif %}
        )
        {% endset %}
        {% do run_query(view) %}
    {% endfor %}
{% endmacro %}
