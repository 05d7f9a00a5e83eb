{#-
    How an event is judged by the tracking plan. dbt and `muster plan check` render this same file,
    so its macros take the plan as an argument and keep to Jinja that needs no dbt.
-#}

{#- Where a property stands: a column, or behind `properties.` a key of that JSON column. -#}
{% macro property_value(property) -%}
    {%- if property.startswith('properties.') -%}
        {{ json_text('properties', property[11:]) }}
    {%- else -%}
        {{ property }}
    {%- endif -%}
{%- endmacro %}

{#- True for the names a rule holds for; '' among them stands for every name the plan lacks. -#}
{% macro is_event(names, all_names) -%}
    {%- set others = all_names | reject('in', names) | list -%}
    {%- if '' not in names -%}
        lower({{ text('name') }}) in ({{ literals(names) }})
    {%- elif others -%}
        coalesce(lower({{ text('name') }}) not in ({{ literals(others) }}), true)
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#- Values as SQL literals, parted by commas. -#}
{% macro literals(values) -%}
    {%- for value in values -%}
        '{{ value | replace("'", "''") }}'{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- All that may be said of a property. -#}
{% macro rule_words() -%}type, one_of, required, pii, description{%- endmacro %}

{#- What is wrong with a property of this type, in words. -#}
{% macro wrong_type(property, type, allowed) -%}
    property {{ property }} is {{ {
        'number': 'not a number',
        'integer': 'not an integer',
        'boolean': 'not true or false',
        'time': 'not a time',
        'url': 'not a URL',
        'one_of': 'none of ' ~ allowed | join(', '),
    }[type] }}
{%- endmacro %}

{#- The reasons that no release can set aside, since nothing could be done with such an event. -#}
{% macro fatal_reasons() -%}
    'event_id is missing', 'occurred_at is missing or no time', 'name is missing'
{%- endmacro %}

{#-
    All that is wrong with a landed event, joined by '; ', or null. Each rule is written once, with
    the names it holds for: the properties of every event, and over them the event's own.
-#}
{% macro broken_rules(plan) -%}
    {%- set common = plan.get('properties') or {} -%}
    {%- set events = plan.get('events') or {} -%}
    {%- set all_names = [''] + (events | list) -%}
    {%- set rules = {} -%}
    {%- for name in all_names -%}
        {%- set own = (events.get(name) or {}).get('properties') or {} -%}
        {%- for property in ((common | list) + (own | list)) | unique -%}
            {%- set says = dict(common.get(property) or {}, **(own.get(property) or {})) -%}
            {%- set type = 'one_of' if says.get('one_of') else says.get('type') or 'text' -%}
            {%- for key in says if key not in rule_words() -%}
                {{ exceptions.raise_compiler_error(
                    "tracking_plan.yml: " ~ name ~ " > " ~ property ~ ": no rule is called '" ~ key
                    ~ "'; there are " ~ rule_words()
                ) }}
            {%- endfor -%}
            {%- if says.get('required') -%}
                {%- set rule = {'property': property, 'type': 'required', 'names': []} -%}
                {%- do rules.setdefault(property ~ ' required', rule)['names'].append(name) -%}
            {%- endif -%}
            {%- if type != 'text' -%}
                {%- set allowed = says.get('one_of') or [] -%}
                {%- set rule = {
                    'property': property, 'type': type, 'allowed': allowed, 'names': [],
                } -%}
                {%- set key = property ~ ' ' ~ type ~ literals(allowed) -%}
                {%- do rules.setdefault(key, rule)['names'].append(name) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    nullif(concat_ws(
        '; ',
        case when {{ text('event_id') }} is null then 'event_id is missing' end,
        case when {{ is_no_time('occurred_at') }} then 'occurred_at is missing or no time' end,
        case
            when {{ text('name') }} is null then 'name is missing'
            {%- if events %}
            when lower({{ text('name') }}) not in ({{ literals(events) }})
                then 'name is not in the tracking plan'
            {%- endif %}
        end
        {%- for rule in rules.values() %},
        case
            {%- set value = property_value(rule['property']) %}
            {%- if rule['type'] == 'required' %}
            when {{ is_event(rule['names'], all_names) }} and {{ text(value) }} is null
                then 'required property {{ rule['property'] }} is missing'
            {%- else %}
            {%- set words = wrong_type(rule['property'], rule['type'], rule['allowed']) %}
            when
                {{ is_event(rule['names'], all_names) }}
                and {{ is_not_of_type(rule['type'], value, literals(rule['allowed'])) }}
                then {{ literals([words]) }}
            {%- endif %}
        end
        {%- endfor %}
    ), '')
{%- endmacro %}
