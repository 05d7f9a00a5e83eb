{#- A YAML file, parsed. It is read through the engine, since Jinja cannot. -#}
{% macro yaml_file(path) -%}
    {%- set text = run_query("select content from read_text('" ~ path ~ "')").rows[0][0] -%}
    {%- set content = fromyaml(text) -%}
    {%- if content is not mapping -%}
        {{ exceptions.raise_compiler_error(
            path ~ " is no YAML that can be read; look at indentation, quotes, brackets and colons"
        ) }}
    {%- endif -%}
    {{ return(content) }}
{%- endmacro %}

{#- All thresholds as they are in force, by name. -#}
{% macro parameters_in_force() -%}
    {%- set folder = invocation_args_dict.get('project_dir') or '.' -%}
    {%- set values = {} -%}
    {%- for name, entry in yaml_file(folder ~ '/parameters.yml').items() -%}
        {%- do values.update({name: var(name, entry['value'])}) -%}
    {%- endfor -%}
    {{ return(values) }}
{%- endmacro %}

{#- The value of a threshold of parameters.yml; a dbt variable of the same name wins. -#}
{% macro parameter(name) -%}
    {%- if not execute -%}
        {{ return(var(name, 0)) }}
    {%- endif -%}
    {%- set folder = invocation_args_dict.get('project_dir') or '.' -%}
    {%- set entry = yaml_file(folder ~ '/parameters.yml').get(name) -%}
    {%- if entry is none -%}
        {{ exceptions.raise_compiler_error(
            "parameters.yml has no parameter '" ~ name
            ~ "'; add it there with value, unit and meaning"
        ) }}
    {%- endif -%}
    {{ return(var(name, entry['value'])) }}
{%- endmacro %}

{#-
    The tracking plan, parsed: MUSTER_TRACKING_PLAN (a full path), else tracking_plan.yml. A dbt
    variable `tracking_plan` wins, so that a unit test has a plan of its own.
-#}
{% macro tracking_plan() -%}
    {%- if not execute -%}
        {{ return({}) }}
    {%- endif -%}
    {%- set folder = invocation_args_dict.get('project_dir') or '.' -%}
    {%- set path = env_var('MUSTER_TRACKING_PLAN', '') or folder ~ '/tracking_plan.yml' -%}
    {{ return(var('tracking_plan', none) or yaml_file(path)) }}
{%- endmacro %}

{#- One row for each event name of the tracking plan: what kind of event it is, and whose. -#}
{% macro tracking_plan_rows() -%}
    {%- set events = tracking_plan().get('events') or {} -%}
    {%- for name, event in events.items() %}
    select
        {{ literals([name]) }} as event_name,
        {{ literals([event.get('owner') or '']) }} as owner,
        {{ event.get('is_content') or false }} as is_content,
        {{ event.get('is_conversion') or false }} as is_conversion
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- else %}
    select
        '' as event_name,
        '' as owner,
        false as is_content,
        false as is_conversion
    {%- endfor %}
{%- endmacro %}
