{#-
    What triggers are made of. A candidate is judged at its own moment, `available_at`: by what had
    happened up to it, never by as_of. So none that was found once is lost, or changes, when a later
    run looks back. Within W, and W after, mean up to and including W; events of one moment are
    ordered by event_id.
-#}

{#- Whether a candidate is listed: it may be acted on by now, and for less than so many days. -#}
{% macro is_listed(available_at, days) -%}
    {{ available_at }} <= {{ as_of() }}
    and {{ available_at }} > {{ as_of() }} - {{ interval_of(days, 'day') }}
{%- endmacro %}

{#-
    Whether a moment is recent enough for candidates that are listed to build on it: within the
    lookback, or in the days of context before it.
-#}
{% macro may_matter(moment, lookback_days, context_days) -%}
    {{ moment }} > {{ as_of() }} - {{ interval_of(lookback_days + context_days, 'day') }}
{%- endmacro %}

{#- The place of an event among others: by time, then by id. -#}
{% macro place_of(alias) -%}
    {{ in_order([alias ~ '.occurred_at', alias ~ '.event_id']) }}
{%- endmacro %}

{#- More than X ago: the moment from which on something is so long ago. -#}
{% macro moment_after(moment, amount, unit) -%}
    {{ moment }} + {{ interval_of(amount, unit) }}
{%- endmacro %}

{#- Count within W: whether an event is the Nth, or a later one, of its kind within W. -#}
{% macro is_nth_within(count, amount, unit, partition_by) -%}
    coalesce(
        occurred_at - lag(occurred_at, {{ count - 1 }}) over (
            partition by {{ partition_by }} order by occurred_at, event_id
        ) <= {{ interval_of(amount, unit) }},
        false
    )
{%- endmacro %}

{#- A then B within W: whether the event of one alias is followed by that of the other. -#}
{% macro is_followed_by(first, second, amount, unit) -%}
    {{ place_of(first) }} < {{ place_of(second) }}
    and {{ second }}.occurred_at <= {{ moment_after(first ~ '.occurred_at', amount, unit) }}
{%- endmacro %}

{#- No B within W after A: `next_at` is when B comes next, null if never. -#}
{% macro stays_away(next_at, moment, amount, unit) -%}
    coalesce({{ next_at }} > {{ moment_after(moment, amount, unit) }}, true)
{%- endmacro %}

{#- Whether something had happened by a moment; null is never. -#}
{% macro has_happened_by(happened_at, moment) -%}
    coalesce({{ happened_at }} <= {{ moment }}, false)
{%- endmacro %}

{#- A sum goes over a threshold: only the row at which it does. -#}
{% macro goes_over(sum_before, sum_after, threshold) -%}
    {{ sum_before }} <= {{ threshold }} and {{ sum_after }} > {{ threshold }}
{%- endmacro %}

{#- When a page was left, and its dwell time therefore known; after a day if it says more. -#}
{% macro left_at(occurred_at, dwell_seconds) -%}
    {{ seconds_after(
        occurred_at, 'least(greatest(coalesce(' ~ dwell_seconds ~ ', 0), 0), 86400)'
    ) }}
{%- endmacro %}

{#- Scrolled at least so deep, as the source counts it. -#}
{% macro has_scrolled(depth, least) -%}
    coalesce({{ depth }} >= {{ least }}, false)
{%- endmacro %}

{#- In which circumstances: on one of these kinds of device. -#}
{% macro is_on_device(device_type, kinds) -%}
    coalesce({{ device_type }} in ({{ literals(kinds) }}), false)
{%- endmacro %}

{#- From a region of country_regions.csv, such as europe. -#}
{% macro is_from_region(country, region) -%}
    coalesce(upper({{ country }}) in (
        select regions.country from {{ ref('country_regions') }} as regions
        where regions.region = '{{ region }}'
    ), false)
{%- endmacro %}

{#- Between two full hours of a local clock, the first included; from 22 to 6 is over midnight. -#}
{% macro is_at_local_hour(moment, zone, from_hour, until_hour) -%}
    {%- set hour = 'extract(hour from ' ~ local_time(moment, zone) ~ ')' -%}
    coalesce(
        {{ hour }} >= {{ from_hour }}
        {{ 'and' if from_hour < until_hour else 'or' }} {{ hour }} < {{ until_hour }},
        false
    )
{%- endmacro %}
