{#- as_of as Python's datetime in UTC. -#}
{% macro as_of_moment() -%}
    {%- set given = var('as_of', none) or run_started_at.isoformat() -%}
    {%- set text = given | string | replace('Z', '+00:00') -%}
    {%- set moment = modules.datetime.datetime.fromisoformat(text) -%}
    {{ return(moment.astimezone(modules.pytz.utc) if moment.tzinfo else moment) }}
{%- endmacro %}

{#- The one moment at which a run evaluates the world, in UTC; `--vars '{as_of: ...}'` sets it. -#}
{% macro as_of() -%}
    cast('{{ as_of_moment().strftime('%Y-%m-%d %H:%M:%S') }}' as timestamp)
{%- endmacro %}

{#- The UTC day of as_of, or so many days before it. -#}
{% macro as_of_day(days_back=0) -%}
    {%- set day = as_of_moment() - modules.datetime.timedelta(days=days_back) -%}
    cast('{{ day.strftime('%Y-%m-%d') }}' as date)
{%- endmacro %}

{#- An amount of time: `{{ interval_of(24, 'hour') }}`. -#}
{% macro interval_of(amount, unit) -%}
    interval '{{ amount }} {{ unit }}'
{%- endmacro %}

{#- Whether a moment lies less than so many times 24 hours before as_of; false for null. -#}
{% macro is_within(moment, days) -%}
    coalesce({{ moment }} > {{ as_of() }} - {{ interval_of(days, 'day') }}, false)
{%- endmacro %}
