-- Grain: one row per landed record of web.events, good or bad.
with landed as (
    select * from {{ source('landing', 'web_events') }}
)

select
    {{ text('event_id') }} as event_id,
    lower({{ text('name') }}) as name,
    {{ utc_time('occurred_at') }} as occurred_at,
    {{ utc_time('received_at') }} as received_at,
    {{ text('anonymous_id') }} as anonymous_id,
    {{ text('user_id') }} as user_id,
    {{ normal_email('email') }} as email,
    {{ text('page_url') }} as page_url,
    lower({{ text('page_type') }}) as page_type,
    {{ text('product_id') }} as product_id,
    {{ text('category') }} as category,
    {{ text('cart_id') }} as cart_id,
    {{ text('order_id') }} as order_id,
    {{ as_type('decimal(18, 4)', 'quantity') }} as quantity,
    {{ as_type('decimal(18, 4)', 'value') }} as value,
    {{ text('currency') }} as currency,
    {{ as_type('decimal(18, 4)', 'dwell_seconds') }} as dwell_seconds,
    {{ as_type('decimal(18, 4)', 'scroll_depth') }} as scroll_depth,
    {{ text('search_query') }} as search_query,
    lower({{ text('device_type') }}) as device_type,
    {{ text('country') }} as country,
    {{ text('timezone') }} as timezone,
    {{ text('utm_source') }} as utm_source,
    {{ text('utm_medium') }} as utm_medium,
    {{ text('utm_campaign') }} as utm_campaign,
    {{ text('properties') }} as properties,
    _extra,
    coalesce(_deleted, false) as _deleted,
    _source_file,
    _row_number,
    _landed_at,
    _load_id,
    case
        -- Of what its source deleted, only the key may be known.
        when _deleted then null
        when {{ text('event_id') }} is null
            then 'event_id is missing'
        when {{ text('occurred_at') }} is null or {{ utc_time('occurred_at') }} is null
            then 'occurred_at is missing or no time'
        when
            {{ text('name') }} is null
            or lower({{ text('name') }}) not in (
                select plan.event_name from {{ ref('tracking_plan') }} as plan
            )
            then 'name is not in the tracking plan'
        when {{ text('product_id') }} is null and {{ requires('product_id') }}
            then 'required property product_id is missing'
        when {{ text('cart_id') }} is null and {{ requires('cart_id') }}
            then 'required property cart_id is missing'
        when {{ text('order_id') }} is null and {{ requires('order_id') }}
            then 'required property order_id is missing'
        when {{ text('category') }} is null and {{ requires('category') }}
            then 'required property category is missing'
        when {{ text('search_query') }} is null and {{ requires('search_query') }}
            then 'required property search_query is missing'
        when {{ text('scroll_depth') }} is null and {{ requires('scroll_depth') }}
            then 'required property scroll_depth is missing'
        when {{ is_not_a('decimal(18, 4)', 'quantity') }}
            then 'quantity is not a number'
        when {{ is_not_a('decimal(18, 4)', 'value') }}
            then 'value is not a number'
        when {{ is_not_a('decimal(18, 4)', 'dwell_seconds') }}
            then 'dwell_seconds is not a number'
        when {{ is_not_a('decimal(18, 4)', 'scroll_depth') }}
            then 'scroll_depth is not a number'
    end as _rejection_reason,
    cast(to_json(landed) as varchar) as _record
from landed
