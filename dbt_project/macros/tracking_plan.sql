{#- True for an event whose name needs this property, by the tracking plan. -#}
{% macro requires(property) -%}
    lower(trim(name)) in (
        select plan.event_name from {{ ref('tracking_plan') }} as plan
        where plan.required_property = '{{ property }}'
    )
{%- endmacro %}
