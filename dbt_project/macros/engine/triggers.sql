{#- The engine's own SQL of triggers. -#}

{#- A moment and a number of seconds, which may have decimals. -#}
{% macro seconds_after(moment, seconds) -%}
    {{ moment }} + to_microseconds(cast({{ seconds }} * 1000000 as bigint))
{%- endmacro %}

{#- A JSON object as text; the fields are SQL by name, and come in this order. -#}
{% macro json_object(fields) -%}
    cast(to_json({{ record_of(fields) }}) as varchar)
{%- endmacro %}

{#- A number as JSON has it. -#}
{% macro json_number(value) -%}
    cast({{ value }} as double)
{%- endmacro %}

{#- Ids of events as a list, each once, by time and then id; `{id: time}`, in SQL. -#}
{% macro ids_in_order(times) -%}
    list_transform(
        list_sort(list_distinct([
            {%- for event_id, occurred_at in times.items() %}
            { 'occurred_at': {{ occurred_at }}, 'event_id': {{ event_id }} }
            {{- ',' if not loop.last }}
            {%- endfor %}
        ])),
        event -> event.event_id
    )
{%- endmacro %}

{#- Ids of a window's events as a list; the window follows, and orders them. -#}
{% macro list_of(column) -%}
    list({{ column }})
{%- endmacro %}

{#- A list of one value. -#}
{% macro list_of_one(value) -%}
    [{{ value }}]
{%- endmacro %}

{#- An empty list of ids: what happened is no event. -#}
{% macro no_event_ids() -%}
    cast([] as varchar[])
{%- endmacro %}
