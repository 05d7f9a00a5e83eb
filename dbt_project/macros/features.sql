{#-
    Features of models: int_profile_features. All read days that ended before as_of, or, of a build
    within a day, that day as far as it has gone, since nothing later is in any table. At midnight a
    window of N days is exactly N days.
-#}

{#- Whether all that is known of a day was known at as_of, if that is a midnight. -#}
{% macro was_known(day) -%}
    cast({{ day }} as timestamp) < {{ as_of() }}
{%- endmacro %}

{#- The condition of the last so many days. -#}
{% macro in_last(days) -%}
    day >= {{ as_of_day(days) }}
{%- endmacro %}

{#- A sum over the last days; 0 without any. -#}
{% macro sum_of_last(column, days) -%}
    coalesce(sum({{ column }}) filter (where {{ in_last(days) }}), 0)
{%- endmacro %}

{#- A part of a whole over the last days; 0 of nothing. -#}
{% macro share_of_last(part, whole, days) -%}
    coalesce({{ share_of(sum_of_last(part, days), sum_of_last(whole, days)) }}, 0)
{%- endmacro %}

{#- The last days against as many before: from -1 (all before) to 1 (all of late); 0 of nothing. -#}
{% macro trend_of_last(column, days) -%}
    coalesce({{ share_of(
        '(' ~ sum_of_last(column, days) ~ ' * 2 - ' ~ sum_of_last(column, days * 2) ~ ')',
        sum_of_last(column, days * 2)
    ) }}, 0)
{%- endmacro %}

{#- The longest time that features tell apart: who was never seen to do it did it so long ago. -#}
{% macro longest_ago() -%}365{%- endmacro %}

{#- Days since the last day of a condition, `longest_ago` at most, also for never. -#}
{% macro days_since_last(condition) -%}
    least(coalesce(
        {{ days_between('max(day) filter (where ' ~ condition ~ ')', as_of_day()) }},
        {{ longest_ago() }}
    ), {{ longest_ago() }})
{%- endmacro %}

{#-
    Days since the first day of a condition. 90 at most: history begins somewhere, so for older ones
    it would tell how old the data are, and rise for everybody from day to day.
-#}
{% macro days_since_first(condition) -%}
    least({{ days_between('min(day) filter (where ' ~ condition ~ ')', as_of_day()) }}, 90)
{%- endmacro %}

{#- Rows per profile and day of one of several relations: 0 for columns that it does not have. -#}
{% macro stacked(relation, own_columns, all_columns) -%}
    select
        profile_id,
        day
        {%- for column in all_columns %},
        {{ column if column in own_columns else '0 as ' ~ column }}
        {%- endfor %}
    from {{ relation }}
{%- endmacro %}

{#- A column of days summed: amounts exactly, counts as whole numbers. -#}
{% macro sum_of_day(column) -%}
    cast(sum({{ column }}) as {{
        'decimal(18, 4)' if column.endswith(('_value', '_seconds')) else 'bigint'
    }})
{%- endmacro %}
