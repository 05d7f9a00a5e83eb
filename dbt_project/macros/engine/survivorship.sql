{#-
    The newest record of a group, as a struct; of equal moments the greatest id. An aggregate of a
    struct takes half the time of a window over all events. The moment must not be null.
-#}
{% macro newest_record(moment, id) -%}
    max({'observed_at': {{ moment }}, 'record_id': {{ id }}, 'landed_at': _landed_at})
{%- endmacro %}

{#- A time as a number. -#}
{% macro microseconds(moment) -%}
    epoch_us({{ moment }})
{%- endmacro %}
