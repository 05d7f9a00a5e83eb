{#- Text to a UTC time; null where it is none. Times without an offset are taken as UTC. -#}
{% macro utc_time(column) -%}
    timezone('UTC', try_cast({{ column }} as timestamptz))
{%- endmacro %}

{#- True where text is present but cannot be read as `type`. -#}
{% macro is_not_a(type, column) -%}
    ({{ text(column) }} is not null and {{ as_type(type, column) }} is null)
{%- endmacro %}

{#- Text to a number or date; blank and unreadable text is null. -#}
{% macro as_type(type, column) -%}
    try_cast(nullif(trim({{ column }}), '') as {{ type }})
{%- endmacro %}

{#- Text without surrounding blanks; blank is null. -#}
{% macro text(column) -%}
    nullif(trim({{ column }}), '')
{%- endmacro %}

{#- A stable key of several columns, nulls kept apart from blanks. -#}
{% macro key_of(columns) -%}
    md5(concat_ws(
        '|'
        {%- for column in columns %}, coalesce(cast({{ column }} as varchar), '~'){% endfor -%}
    ))
{%- endmacro %}

{#- The rows of a relation that come first by `order_by` within each key; say all ties. -#}
{% macro first_by(relation, key, order_by) -%}
    select * from {{ relation }}
    qualify row_number() over (partition by {{ key }} order by {{ order_by }}) = 1
{%- endmacro %}

{#-
    The records that their source has not deleted: a deletion hides what landed with it or before,
    and a record that landed later brings its key back.
-#}
{% macro living(relation, key) -%}
    select kept.*
    from {{ relation }} as kept
    left join (
        -- A join costs a quarter of a window over all records, of which few are deleted.
        select
            {{ key }} as gone_key,
            max(_landed_at) as gone_at
        from {{ relation }}
        where _deleted
        group by {{ key }}
    ) as gone
        on kept.{{ key }} = gone.gone_key
    where
        kept._deleted is not true
        and (gone.gone_at is null or kept._landed_at > gone.gone_at)
{%- endmacro %}

{#- A moment as stored: UTC, without a zone. -#}
{% macro utc(moment) -%}
    timezone('UTC', {{ moment }})
{%- endmacro %}

{#- Several columns as one value that sorts by the first, then the next. -#}
{% macro in_order(columns) -%}
    ({{ columns | join(', ') }})
{%- endmacro %}

{#- Whole days of 24 hours that have passed since a moment; null for null. -#}
{% macro whole_days_between(earlier, later) -%}
    cast(floor(epoch_us({{ later }} - {{ earlier }}) / 86400000000) as bigint)
{%- endmacro %}

{#- Whole seconds that have passed since a moment; null for null. -#}
{% macro seconds_between(earlier, later) -%}
    cast(floor(epoch_us({{ later }} - {{ earlier }}) / 1000000) as bigint)
{%- endmacro %}

{#- Days from one date to another. -#}
{% macro days_between(earlier, later) -%}
    cast({{ later }} - {{ earlier }} as bigint)
{%- endmacro %}

{#- A name as part of an identifier: `Home & Garden` is `home_garden`. -#}
{% macro slug(column) -%}
    trim(regexp_replace(lower({{ column }}), '[^\p{L}\p{N}]+', '_', 'g'), '_')
{%- endmacro %}

{#- The last value of a window that is not null; the window follows. -#}
{% macro last_known(column) -%}
    last_value({{ column }} ignore nulls)
{%- endmacro %}
