{#-
    Whether an event was received so long after it happened that it no longer counts. A property of
    the event alone: what merely landed late counts, so the order of arrival changes nothing.
-#}
{% macro is_too_late(occurred_at, received_at, days) -%}
    coalesce(
        {{ received_at }}
        > {{ occurred_at }} + {{ interval_of(days, 'day') }},
        false
    )
{%- endmacro %}

{#- The key under which an event finds its profile. -#}
{% macro event_record_key() -%}
    {{ record_key('web_events', ['anonymous_id', 'user_id', 'email', 'null', 'null', 'null']) }}
{%- endmacro %}
