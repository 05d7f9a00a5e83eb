{#-
    How the golden record is made; the rules are the block `survivorship:` of identity_rules.yml.
    tests/unit/test_survivorship.py renders these macros without dbt, so they keep to plain Jinja.
-#}

{#- Every trait that some source may tell, as a list of columns. -#}
{% macro traits() -%}
    first_name, last_name, birth_date, gender, email, phone,
    country, timezone, city, postal_code, loyalty_tier
{%- endmacro %}

{#- All traits as text columns; null where a source does not carry it. -#}
{% macro trait_columns(carried) -%}
    {%- for trait in traits().split(',') | map('trim') %}
    cast({{ trait if trait in carried else 'null' }} as varchar) as {{ trait }}
        {{- ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- How many traits a record tells. -#}
{% macro completeness() -%}
    {%- for trait in traits().split(',') | map('trim') %}
    case when {{ trait }} is null then 0 else 1 end{{ ' +' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- How many of these columns of a relation have a value. -#}
{% macro count_known(relation, columns) -%}
    {%- for column in columns %}
    case when {{ relation }}.{{ column }} is null then 0 else 1 end{{ ' +' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- One row for each trait that a record tells. -#}
{% macro each_trait(relation) -%}
    {%- for trait in traits().split(',') | map('trim') %}
    select
        profile_id,
        '{{ trait }}' as trait,
        {{ trait }} as value,
        source,
        record_id,
        observed_at,
        landed_at,
        completeness
    from {{ relation }}
    where {{ trait }} is not null
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}

{#- One row for each trait and source that may give it, with the three rules in their order. -#}
{% macro survivorship_rows() -%}
    {%- set block = identity_rules().get('survivorship') or {} -%}
    {%- set usual = block.get('order') or ['source', 'recency', 'completeness'] -%}
    {%- for trait, says in (block.get('traits') or {}).items() -%}
    {%- set order = says.get('order') or usual -%}
    {%- for source in says['sources'] %}
    select
        '{{ trait }}' as trait,
        '{{ source }}' as source,
        {{ loop.index }} as source_rank,
        '{{ order[0] }}' as first_rule,
        '{{ order[1] }}' as second_rule,
        '{{ order[2] }}' as third_rule
    union all
    {%- endfor %}
    {%- endfor %}
    select
        cast(null as varchar) as trait,
        cast(null as varchar) as source,
        cast(null as int) as source_rank,
        cast(null as varchar) as first_rule,
        cast(null as varchar) as second_rule,
        cast(null as varchar) as third_rule
    where false
{%- endmacro %}

{#- What a record weighs by a rule: more is better. -#}
{% macro rule_score(rule) -%}
    case {{ rule }}
        when 'source' then -source_rank
        when 'recency' then {{ microseconds('observed_at') }}
        when 'completeness' then completeness
    end
{%- endmacro %}

{#- The order of candidates, the survivor first; equals go by record id, never by arrival. -#}
{% macro survival_order() -%}
    first_score desc, second_score desc, third_score desc, record_id desc
{%- endmacro %}
