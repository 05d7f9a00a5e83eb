{#- E-mail as an identifier: without blanks, lower case. -#}
{% macro normal_email(column) -%}
    nullif(lower(trim({{ column }})), '')
{%- endmacro %}

{#- Telephone as an identifier: digits only, an international prefix 00 written as nothing. -#}
{% macro normal_phone(column) -%}
    nullif(regexp_replace(regexp_replace({{ column }}, '[^0-9]', '', 'g'), '^00', ''), '')
{%- endmacro %}

{#-
    Names the combination of identifiers that a record carries, the same in
    int_identity_records and wherever a record is given its profile.
-#}
{% macro record_key(source, identifiers) -%}
    {{ key_of(["'" ~ source ~ "'"] + identifiers) }}
{%- endmacro %}
