{#- The state of consent in a channel: that of the newest record that counts for it. -#}
{% macro newest_consent(channel) -%}
    coalesce({{ of_greatest('status', in_order(['occurred_at', 'is_withdrawal'])) }} filter (
        where channel = '{{ channel }}' or (channel is null and status = 'withdrawn')
    ), 'unknown')
{%- endmacro %}
