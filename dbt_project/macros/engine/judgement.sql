{#- The engine's own SQL of judging events; rendered outside dbt too, as tracking_plan.sql is. -#}

{#- Text of a key of a JSON object; null where there is none or the text is no JSON. -#}
{% macro json_text(column, key) -%}
    json_extract_string(case when json_valid({{ column }}) then {{ column }} end, '$."{{ key }}"')
{%- endmacro %}

{#- True where text is missing or no time; `utc_time` would cost five times as much to ask this. -#}
{% macro is_no_time(value) -%}
    try_cast({{ value }} as timestamptz) is null
{%- endmacro %}

{#- True where text is present but is no value of a type of the tracking plan. -#}
{% macro is_not_of_type(type, value, allowed) -%}
    {%- if type == 'number' -%}
        {{ is_not_a('decimal(18, 4)', value) }}
    {%- elif type == 'integer' -%}
        (
            {{ text(value) }} is not null
            and not regexp_full_match({{ text(value) }}, '[+-]?[0-9]+([.]0*)?')
        )
    {%- elif type == 'boolean' -%}
        {{ is_not_a('boolean', value) }}
    {%- elif type == 'time' -%}
        ({{ text(value) }} is not null and {{ is_no_time(value) }})
    {%- elif type == 'url' -%}
        (
            {{ text(value) }} is not null
            and not regexp_full_match({{ text(value) }}, '[A-Za-z][A-Za-z0-9+.-]*://[^\s]+')
        )
    {%- elif type == 'one_of' -%}
        coalesce({{ text(value) }} not in ({{ allowed }}), false)
    {%- else -%}
        {{ exceptions.raise_compiler_error("tracking_plan.yml: no type is called '" ~ type ~ "'") }}
    {%- endif -%}
{%- endmacro %}

{#- All releases of a relation as one list, to be asked of every event without a join. -#}
{% macro list_of_releases(relation) -%}
    (
        select
            list({
                'event_name': lower({{ text('event_name') }}),
                'reason': {{ text('reason') }},
                'landed_from': landed_from,
                'landed_until': landed_until
            })
        from {{ relation }}
    )
{%- endmacro %}

{#- What is left of an event's reasons, after those that somebody released; null if none is. -#}
{% macro unreleased(reasons, releases) -%}
    case
        when {{ reasons }} is not null
            then nullif(array_to_string(list_filter(
                string_split({{ reasons }}, '; '),
                reason -> reason in ({{ fatal_reasons() }})
                or len(list_filter(
                    coalesce({{ releases }}, []),
                    release -> release.event_name = lower({{ text('name') }})
                    and coalesce(release.reason = reason, true)
                    and coalesce(release.landed_from <= _landed_at, true)
                    and coalesce(_landed_at <= release.landed_until, true)
                )) = 0
            ), '; '), '')
    end
{%- endmacro %}

{#- One row for each of the parts of a text. -#}
{% macro each_part(column, separator) -%}
    unnest(string_split({{ column }}, '{{ separator }}'))
{%- endmacro %}
