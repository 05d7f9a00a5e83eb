{#-
    The value of a threshold of parameters.yml. A dbt variable of the same name wins, so that a unit
    test or a simulation can set it. The file is read through the engine, since Jinja cannot.
-#}
{% macro parameter(name) -%}
    {%- if not execute -%}
        {{ return(var(name, 0)) }}
    {%- endif -%}
    {%- set path = (invocation_args_dict.get('project_dir') or '.') ~ '/parameters.yml' -%}
    {%- set text = run_query("select content from read_text('" ~ path ~ "')").rows[0][0] -%}
    {%- set entry = fromyaml(text).get(name) -%}
    {%- if entry is none -%}
        {{ exceptions.raise_compiler_error(
            "parameters.yml has no parameter '" ~ name
            ~ "'; add it there with value, unit and meaning"
        ) }}
    {%- endif -%}
    {{ return(var(name, entry['value'])) }}
{%- endmacro %}
