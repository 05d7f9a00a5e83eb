{#- Identifiers in DuckDB; the functions come from orchestration/resources/dbt_functions.py. -#}

{#- Rows of a small CSV of seeds/mappings, as text. Read here, since staging joins nothing. -#}
{% macro mapping_rows(name) -%}
    {%- if not execute -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set folder = invocation_args_dict.get('project_dir') or '.' -%}
    {%- set path = folder ~ '/../seeds/mappings/' ~ name ~ '.csv' -%}
    {%- set rows = run_query("select * from read_csv('" ~ path ~ "', all_varchar = true)") -%}
    {%- set found = [] -%}
    {%- for row in rows.rows -%}
        {%- do found.append(dict(zip(rows.column_names, row.values()))) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#- The country of telephone numbers whose record has none: ISO 3166-1 code, or blank. -#}
{% macro default_country() -%}
    {{ return(var('default_country', identity_rules().get('default_country') or '')) }}
{%- endmacro %}

{% macro duckdb__normal_phone(column, country) -%}
    phone_e164({{ column }}, coalesce(
        {{ text(country) }}, {{ literals([default_country()]) }}
    ))
{%- endmacro %}

{% macro duckdb__normal_email(column) -%}
    mailbox({{ column }})
{%- endmacro %}

{#- Patterns of blocked_identifiers.csv as one regular expression. -#}
{% macro any_pattern(entries) -%}
    {{ literals(['(?:' ~ (entries | map(attribute='expression') | join(')|(?:')) ~ ')']) }}
{%- endmacro %}

{#-
    Few identifiers are blocked, so one expression for each type looks for candidates first, and
    only these are asked which entry it is: a million identifiers cost a second instead of ten.
-#}
{% macro duckdb__blocked_by(type, value) -%}
    {%- set lowered = 'lower(' ~ value ~ ')' -%}
    {%- set values, patterns = {}, {} -%}
    {%- for row in mapping_rows('blocked_identifiers') -%}
        {%- if row.pattern[0] == '/' and row.pattern[-1] == '/' -%}
            {%- set entry = {'pattern': row.pattern, 'expression': row.pattern[1:-1]} -%}
            {%- do patterns.setdefault(row.identifier_type, []).append(entry) -%}
        {%- else -%}
            {%- do values.setdefault(row.identifier_type, []).append(row.pattern) -%}
        {%- endif -%}
    {%- endfor -%}
    case
        when length({{ value }}) > {{ longest_identifier() }} then 'too long'
        {%- for of_type, listed in values.items() %}
        when {{ is_of_type(type, of_type) }} and {{ lowered }} in ({{ literals(listed) }})
            then {{ lowered }}
        {%- endfor %}
        {%- for of_type, entries in patterns.items() %}
        when
            {{ is_of_type(type, of_type) }}
            and regexp_full_match({{ lowered }}, {{ any_pattern(entries) }})
            then case
            {%- for entry in entries %}
                when regexp_full_match({{ lowered }}, {{ literals([entry.expression]) }})
                    then {{ literals([entry.pattern]) }}
            {%- endfor %}
            end
        {%- endfor %}
    end
{%- endmacro %}

{#- Whether an identifier is of the type that an entry of the block list is for. -#}
{% macro is_of_type(type, of_type) -%}
    {{ 'true' if of_type == 'any' else type ~ " = '" ~ of_type ~ "'" }}
{%- endmacro %}
