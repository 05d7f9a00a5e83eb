{#- Campaigns in DuckDB; the function comes from orchestration/resources/dbt_functions.py. -#}

{#-
    The files of `campaigns/`, as rows. One that is wrong has only a fault. `told` is an expression
    with other campaigns in their place, as JSON.
-#}
{% macro campaign_rows(told=none) -%}
    {%- set folder = invocation_args_dict.get('project_dir') or '.' -%}
    {%- set files = told or "campaign_files('" ~ folder ~ "/campaigns')" -%}
    {%- set cap = '{"scope": "VARCHAR", "most": "BIGINT", "seconds": "BIGINT", "period": "VARCHAR"}'
    -%}
    {%- set step = '{"step": "VARCHAR", "place": "BIGINT", "after_seconds": "BIGINT"}' -%}
    {%- set variant
        = '{"variant": "VARCHAR", "from_share": "DOUBLE", "to_share": "DOUBLE"}' -%}
    select unnest(
        from_json(
            {{ files }},
            '[{
                "campaign": "VARCHAR", "file": "VARCHAR", "fault": "VARCHAR",
                "version": "VARCHAR", "description": "VARCHAR", "owner": "VARCHAR",
                "audience_kind": "VARCHAR", "audience": "VARCHAR", "every": "VARCHAR",
                "channel": "VARCHAR", "priority": "BIGINT", "group_name": "VARCHAR",
                "scopes": ["VARCHAR"], "caps": [{{ cap }}], "steps": [{{ step }}],
                "variants": [{{ variant }}], "holdout_share": "DOUBLE",
                "cooldown_seconds": "BIGINT", "excluded_segments": ["VARCHAR"],
                "conversion_event": "VARCHAR", "conversion_seconds": "BIGINT",
                "quiet_from": "VARCHAR", "quiet_to": "VARCHAR", "schedule": "VARCHAR",
                "timezone": "VARCHAR", "starts_at": "TIMESTAMP", "ends_at": "TIMESTAMP",
                "definition": "VARCHAR"
            }]'
        ),
        max_depth := 2
    )
{%- endmacro %}

{#- Seconds as an amount of time. -#}
{% macro seconds(column) -%}
    to_seconds({{ column }})
{%- endmacro %}

{#-
    A number from 0 on and below 1 that a text always gives, evenly spread: the first 52 bits of its
    MD5, which every engine has.
-#}
{% macro unit_number(text) -%}
    cast(('0x' || left(md5({{ text }}), 13)) as bigint) / 4503599627370496.0
{%- endmacro %}
