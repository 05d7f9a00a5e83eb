-- Grain: one row per landed record of web.events, good or bad.
with landed as (
    select * from {{ source('landing', 'web_events') }}
),

judged as (
    select
        *,
        -- Of what its source deleted, only the key may be known.
        case when _deleted is not true then {{ broken_rules(tracking_plan()) }} end as _reasons,
        {{ list_of_releases(source('landing', 'plan_releases')) }} as _releases,
        cast(to_json(landed) as varchar) as _record
    from landed
),

decided as (
    select
        *,
        {{ unreleased('_reasons', '_releases') }} as _rejection_reason
    from judged
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
    _reasons is not null and _rejection_reason is null as _released,
    _rejection_reason,
    _record
from decided
