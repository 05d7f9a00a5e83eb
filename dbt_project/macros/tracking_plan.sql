{#- True for an event whose name needs this property, by the tracking plan. -#}
{% macro requires(property) -%}
    lower(trim(name)) in (
        select event_name from {{ ref('tracking_plan') }} where required_property = '{{ property }}'
    )
{%- endmacro %}
