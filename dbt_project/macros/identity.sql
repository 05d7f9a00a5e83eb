{#- The rules of identity, parsed: MUSTER_IDENTITY_RULES (a full path), else identity_rules.yml. -#}
{% macro identity_rules() -%}
    {%- if not execute -%}
        {{ return({}) }}
    {%- endif -%}
    {%- set folder = invocation_args_dict.get('project_dir') or '.' -%}
    {%- set path = env_var('MUSTER_IDENTITY_RULES', '') or folder ~ '/identity_rules.yml' -%}
    {{ return(var('identity_rules', none) or yaml_file(path)) }}
{%- endmacro %}

{#- How weak a type of identifier is: 0 for the strongest, as the rules order them. -#}
{% macro weakness_of(type) -%}
    case {{ type }}
        {%- for name in identity_rules().get('identifiers') or {'': none} %}
        when '{{ name }}' then {{ loop.index0 }}
        {%- endfor %}
    end
{%- endmacro %}

{#- An identifier as text: `type:value`; null for no value. -#}
{% macro identifier_of(type, value) -%}
    {{ type }} || ':' || {{ value }}
{%- endmacro %}

{#-
    A value that a person gave, as the models write values of its type. One that is written so
    already stays, also where it could not be read again, as `raw:01511234567`.
-#}
{% macro normal_identifier(type, value) -%}
    coalesce(
        case {{ type }}
            when 'email' then {{ normal_email(value) }}
            when 'phone' then {{ normal_phone(value) }}
        end,
        {{ text(value) }}
    )
{%- endmacro %}
