-- Grain: one row per session and category of which more than so many products were viewed in it.
{% set place = in_order(['occurred_at', 'event_id']) %}
with products as (
    select
        profile_id,
        session_id,
        category,
        product_id,
        min(occurred_at) as occurred_at,
        {{ of_least('event_id', place) }} as event_id
    from {{ ref('int_recent_events') }}
    where name = 'product_view' and product_id is not null and category is not null
    group by profile_id, session_id, category, product_id
),

counted as (
    select
        *,
        row_number() over so_far as product_count,
        {{ list_of('product_id') }} over so_far as product_ids,
        {{ list_of('event_id') }} over so_far as event_ids
    from products
    window
        so_far as (
            partition by session_id, category
            order by occurred_at, event_id rows between unbounded preceding and current row
        )
)

select
    profile_id,
    session_id || '|' || category as occurrence_key,
    occurred_at,
    occurred_at as available_at,
    {{ moment_after('occurred_at', parameter('category_browse_expiry_hours'), 'hour') }}
        as expires_at,
    {{ json_object({ 'category': 'category', 'product_ids': 'product_ids' }) }} as payload,
    event_ids
from counted
where
    {{ goes_over('product_count - 1', 'product_count', parameter('category_browse_products')) }}
    and {{ is_listed('occurred_at', parameter('trigger_lookback_days')) }}
