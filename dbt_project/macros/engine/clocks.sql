{#- Clocks of time zones in DuckDB (its ICU). Stored moments are UTC without a zone. -#}

{#- A UTC moment as the clocks of a time zone show it. -#}
{% macro local_time(moment, zone) -%}
    timezone({{ zone }}, timezone('UTC', {{ moment }}))
{%- endmacro %}

{#- The UTC moment of a local time; of one that does not exist or exists twice, a near one. -#}
{% macro utc_of_local(local, zone) -%}
    timezone('UTC', timezone({{ zone }}, {{ local }}))
{%- endmacro %}

{#- The names of time zones that `local_time` knows. -#}
{% macro known_zones() -%}
    select distinct name from pg_timezone_names()
{%- endmacro %}

{#- The start of the local day, week (Monday) or month of a UTC moment, as a local time. -#}
{% macro local_period(period, moment, zone) -%}
    case {{ period }}
        when 'day' then date_trunc('day', {{ local_time(moment, zone) }})
        when 'week' then date_trunc('week', {{ local_time(moment, zone) }})
        when 'month' then date_trunc('month', {{ local_time(moment, zone) }})
    end
{%- endmacro %}

{#- How long a day, week or month is; null for anything else. -#}
{% macro period_length(period) -%}
    case {{ period }}
        when 'day' then interval '1 day'
        when 'week' then interval '7 days'
        when 'month' then interval '1 month'
    end
{%- endmacro %}

{#- The moments from one to another, both counted, a period apart; null of no period. -#}
{% macro periods_between(first, last, period) -%}
    generate_series({{ first }}, {{ last }}, {{ period_length(period) }})
{%- endmacro %}

{#-
    The first moment, not before `moment`, at which the clocks of a zone show `clock` ('HH:MM') or,
    where that time does not exist, are past it. Of a time that exists twice, the first. For many
    rows, next_clock_time and exact_moment do the same in two steps, so that each clock is read
    once.
-#}
{% macro next_local_time(moment, zone, clock) -%}
    {%- set wanted = next_clock_time(local_time(moment, zone), clock) -%}
    {{ exact_moment(moment, utc_of_local(wanted, zone), wanted, zone) }}
{%- endmacro %}

{#- The next local time, from a local time on, that is `clock` ('HH:MM'). -#}
{% macro next_clock_time(local, clock) -%}
    {%- set today = "date_trunc('day', " ~ local ~ ")" -%}
    {%- set at = "cast(" ~ clock ~ " || ':00' as interval)" -%}
    {{ today }} + {{ at }} + case
        when {{ today }} + {{ at }} < {{ local }} then interval '1 day' else interval '0 days'
    end
{%- endmacro %}

{#-
    The first moment, not before `moment`, at which clocks show the local time `wanted`, or are past
    it. `near` is what `utc_of_local` takes it for: ICU reads a time of a gap an hour too late and
    of two equal ones takes the last. So where clocks change within four hours, which costs a
    hundred times more, the moments around are looked at: clocks are put forward and back at full
    quarters of an hour of UTC, by two hours at most.
-#}
{% macro exact_moment(moment, near, wanted, zone) -%}
    {%- set before = local_time(near ~ " - interval '4 hours'", zone) -%}
    {%- set after = local_time(near ~ " + interval '4 hours'", zone) -%}
    case when {{ near }} is null or {{ after }} - {{ before }} = interval '8 hours' then {{ near }}
    else list_min(list_filter(
        list_transform(range(-8, 9), quarter -> {{ near }} + quarter * interval '15 minutes')
        || list_transform(
            range(-8, 1),
            quarter -> time_bucket(interval '15 minutes', {{ near }})
            + quarter * interval '15 minutes'
        ),
        instant -> instant >= {{ moment }}
        and {{ local_time('instant', zone) }} >= {{ wanted }}
        and {{ local_time('instant', zone) }} < {{ wanted }} + interval '4 hours'
    ))
    end
{%- endmacro %}

{#- Whether a local time is from `begin` on and before `end` ('HH:MM'), also over midnight. -#}
{% macro is_between_clocks(local, begin, end) -%}
    {%- set shown = "strftime(" ~ local ~ ", '%H:%M')" -%}
    case
        when {{ begin }} < {{ end }} then {{ shown }} >= {{ begin }} and {{ shown }} < {{ end }}
        else {{ shown }} >= {{ begin }} or {{ shown }} < {{ end }}
    end
{%- endmacro %}

{#-
    A moment, or one after all others where there is none. An outer join whose condition says
    `is null or` compares all with all; with this it does not.
-#}
{% macro or_never(moment) -%}
    coalesce({{ moment }}, timestamp 'infinity')
{%- endmacro %}

{#- An hour of the day as HH:MM. -#}
{% macro hour_clock(hour) -%}
    lpad(cast({{ hour }} as varchar), 2, '0') || ':00'
{%- endmacro %}
