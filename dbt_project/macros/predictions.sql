{#- What models tell, by the entries of predictions.yml. -#}

{#- predictions.yml, parsed. -#}
{% macro predictions_file() -%}
    {%- if not execute -%}
        {{ return({}) }}
    {%- endif -%}
    {%- set folder = invocation_args_dict.get('project_dir') or '.' -%}
    {{ return(yaml_file(folder ~ '/predictions.yml')) }}
{%- endmacro %}

{#- Names of the predictions that give a number. -#}
{% macro prediction_names() -%}
    {{ return((predictions_file().get('predictions') or {}) | list) }}
{%- endmacro %}

{#- Names of the clusterings. -#}
{% macro clustering_names() -%}
    {{ return((predictions_file().get('clusters') or {}) | list) }}
{%- endmacro %}

{#- The score of a prediction, in four digits. -#}
{% macro score_of(name) -%}
    cast(max(score) filter (where prediction = '{{ name }}') as decimal(18, 4))
{%- endmacro %}
