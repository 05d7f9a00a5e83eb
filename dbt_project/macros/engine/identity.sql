{#-
    Names an identifier by a number: the lower half of its MD5. Two identifiers with one key fail
    the uniqueness test of int_identifiers; among ten million the chance is 1 in 370,000.
-#}
{% macro identifier_key(identifier) -%}
    md5_number_lower({{ identifier }})
{%- endmacro %}

{#-
    What was known at first: the earliest landing time, and of what landed then the earliest time
    it happened. Later loads cannot change it. A time nobody knows comes last.
-#}
{% macro first_known(landed_at, occurred_at) -%}
    min({
        'landed_at': {{ landed_at }},
        'occurred_at': coalesce({{ occurred_at }}, timestamp '9999-12-31')
    })
{%- endmacro %}

{#- `landed_at` or `occurred_at` of a column `first_known`. -#}
{% macro known_at(moment) -%}
    struct_extract(first_known, '{{ moment }}')
{%- endmacro %}

{#- The value of `column` in the row in which `by` is least, of those that have one. -#}
{% macro of_least(column, by) -%}
    min_by({{ column }}, {{ by }})
{%- endmacro %}

{#- The value of `column` in the row in which `by` is greatest, of those that have one. -#}
{% macro of_greatest(column, by) -%}
    max_by({{ column }}, {{ by }})
{%- endmacro %}
