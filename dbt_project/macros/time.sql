{#- The one moment at which a run evaluates the world, in UTC; `--vars '{as_of: ...}'` sets it. -#}
{% macro as_of() -%}
    {%- set moment = var('as_of', none) or run_started_at.strftime('%Y-%m-%d %H:%M:%S') -%}
    cast('{{ moment | replace('T', ' ') | replace('Z', '') }}' as timestamp)
{%- endmacro %}

{#- An amount of time: `{{ interval_of(24, 'hour') }}`. -#}
{% macro interval_of(amount, unit) -%}
    interval '{{ amount }} {{ unit }}'
{%- endmacro %}
