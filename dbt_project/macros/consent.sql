{#- The state of consent in a channel: that of the newest change. -#}
{% macro newest_consent(channel) -%}
    coalesce({{ of_greatest('status', 'changed_at') }} filter (
        where channel = '{{ channel }}'
    ), 'unknown')
{%- endmacro %}
