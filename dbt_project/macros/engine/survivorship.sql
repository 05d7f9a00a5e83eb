{#- Several values as one record with named fields. -#}
{% macro record_of(fields) -%}
    {
        {%- for name, value in fields.items() %}
        '{{ name }}': {{ value }}{{ ',' if not loop.last }}
        {%- endfor %}
    }
{%- endmacro %}

{#-
    The greatest record of a group, as a struct of these fields: compared by the first, then by the
    next. An aggregate takes half the time of a window here. What is compared must not be null.
-#}
{% macro greatest_record(fields) -%}
    max({{ record_of(fields) }})
{%- endmacro %}

{#- A time as a number; null is less than all. -#}
{% macro microseconds(moment) -%}
    coalesce(epoch_us({{ moment }}), -9223372036854775807)
{%- endmacro %}

{#- A field of such a record. -#}
{% macro field_of(record, field) -%}
    struct_extract({{ record }}, '{{ field }}')
{%- endmacro %}
