{#-
    Windows of traits. A window of N days is the UTC day of as_of as far as it has gone, and the
    N - 1 days before it, so it is a sum of whole rows of the daily aggregates.
-#}

{#- The windows that traits have, in days. -#}
{% macro windows() -%}
    {{ return([1, 7, 30, 90, 365]) }}
{%- endmacro %}

{#- Whether a day lies in the window; days after as_of are in no table. -#}
{% macro in_window(day, days) -%}
    {{ day }} > {{ as_of_day(days) }}
{%- endmacro %}

{#- A count summed over a window; 0 without any. -#}
{% macro count_in_window(column, days, day='day') -%}
    cast(coalesce(
        sum({{ column }}) filter (where {{ in_window(day, days) }}), 0
    ) as bigint)
{%- endmacro %}

{#- An amount summed over a window; 0 without any. -#}
{% macro amount_in_window(column, days, day='day') -%}
    cast(coalesce(
        sum({{ column }}) filter (where {{ in_window(day, days) }}), 0
    ) as decimal(18, 4))
{%- endmacro %}

{#- A part of a whole from 0 to 1, in four digits; null of nothing. -#}
{% macro share_of(part, whole) -%}
    cast(round({{ part }} / nullif({{ whole }}, 0), 4) as decimal(9, 4))
{%- endmacro %}

{#- 1 to 5: 5 for those that come last in this order. Equal values have equal scores. -#}
{% macro quintile(order_by) -%}
    cast(1 + floor(
        5 * (rank() over (order by {{ order_by }}) - 1) / count(*) over ()
    ) as bigint)
{%- endmacro %}

{#- A kind of sessions as a part of all sessions of a window. -#}
{% macro session_share(column, days) -%}
    {{ share_of(count_in_window(column, days), count_in_window('session_count', days)) }}
{%- endmacro %}

{#- Points for each of several columns, each counted up to a limit: `{column: [points, limit]}`. -#}
{% macro capped_points(weights) -%}
    {%- for column, (points, at_most) in (weights or {}).items() %}
    {{ points }} * least({{ column }}, {{ at_most }}) +
    {%- endfor %}
    0
{%- endmacro %}

{#- Points of a day as much as they count at as_of: they halve with each half-life in days. -#}
{% macro decayed(points, day, half_life) -%}
    {#- Rounded before it is summed, so that the order of rows changes no digit. -#}
    cast(round(
        {{ points }} * pow(
            0.5,
            {{ days_between(day, as_of_day()) }} / {{ half_life }}
        ), 6
    ) as decimal(18, 6))
{%- endmacro %}
