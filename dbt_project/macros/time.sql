{#- The one moment at which a run evaluates the world, in UTC; `--vars '{as_of: ...}'` sets it. -#}
{% macro as_of() -%}
    {%- set given = var('as_of', none) or run_started_at.isoformat() -%}
    {%- set text = given | string | replace('Z', '+00:00') -%}
    {%- set moment = modules.datetime.datetime.fromisoformat(text) -%}
    {%- set utc = moment.astimezone(modules.pytz.utc) if moment.tzinfo else moment -%}
    cast('{{ utc.strftime('%Y-%m-%d %H:%M:%S') }}' as timestamp)
{%- endmacro %}

{#- An amount of time: `{{ interval_of(24, 'hour') }}`. -#}
{% macro interval_of(amount, unit) -%}
    interval '{{ amount }} {{ unit }}'
{%- endmacro %}
