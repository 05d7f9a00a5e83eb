{#-
    Tables that are computed anew only for the profiles whose events changed: the models of
    models/intermediate/behaviour/by_profile.

    int_profile_fingerprints tells each profile's state: a hash over all its events, and over what
    computes with them. Each row of these tables carries the state it was made from. Before a build
    the rows of profiles that are in another state, or gone, are deleted; the build then adds the
    profiles that have no rows. So the outcome is that of a rebuild whatever the reason of a change:
    late events, merges and splits, deletions, releases, another as_of, another threshold or SQL.
    A build that was killed is made good by the next one.
-#}

{#-
    Runs before each of these models. A table whose columns are not those of its SQL is made anew:
    DuckDB cannot alter a table and add to it in one transaction, so dbt's `on_schema_change` fails.
-#}
{% macro forget_changed_profiles() -%}
    {%- set fingerprints = ref('int_profile_fingerprints') -%}
    {%- if not is_incremental() %}
    select 1
    {%- elif columns_of(this) != columns_of_query(model.compiled_code) %}
    create or replace table {{ this }} as
    select * from (
        {{ model.compiled_code }}
    ) limit 0
    {%- else %}
    delete from {{ this }} as built
    where not exists (
        select 1
        from {{ fingerprints }} as now
        where now.profile_id = built.profile_id and now.fingerprint = built._fingerprint
    )
    {%- endif %}
{%- endmacro %}

{#- Names and types of a table's columns. -#}
{% macro columns_of(relation) -%}
    {{ return(columns_of_query('select * from ' ~ relation)) }}
{%- endmacro %}

{#- Names and types of a query's columns. -#}
{% macro columns_of_query(query) -%}
    {%- set found = [] -%}
    {%- for row in run_query('describe ' ~ query).rows -%}
        {%- do found.append([row[0], row[1]]) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#- The condition of the rows to compute: those of profiles that have none yet. -#}
{% macro is_unbuilt(profile_id) -%}
    {%- if is_incremental() -%}
    {{ profile_id }} not in (select distinct built.profile_id from {{ this }} as built)
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}

{#- A hash of all rows of a group that does not depend on their order; `row` is a table alias. -#}
{% macro rows_fingerprint(row, salt) -%}
    md5(concat_ws(
        ' ',
        '{{ salt }}',
        count(*),
        bit_xor(hash({{ row }})),
        sum(cast(hash({{ row }}) as hugeint))
    ))
{%- endmacro %}

{#- A hash of what computes with events: the SQL of behaviour, the macros, the thresholds. -#}
{% macro behaviour_salt() -%}
    {%- if not execute -%}
        {{ return('') }}
    {%- endif -%}
    {%- set folder = invocation_args_dict.get('project_dir') or '.' -%}
    {%- set files = "['" ~ folder ~ "/models/intermediate/behaviour/**/*.sql', '"
        ~ folder ~ "/macros/**/*.sql']" -%}
    {%- set code = run_query(
        "select md5(string_agg(content, '' order by filename)) from read_text(" ~ files ~ ")"
    ).rows[0][0] -%}
    {{ return(local_md5(code ~ tojson(parameters_in_force(), sort_keys=true))) }}
{%- endmacro %}
