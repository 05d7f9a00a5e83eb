-- Grain: one row per profile, product and UTC day on which it was viewed, and then not bought.
{% set hours = parameter('browse_abandonment_hours') %}
with views as (
    select
        profile_id,
        product_id,
        cast(occurred_at as date) as day,
        min(occurred_at) as first_viewed_at,
        max(occurred_at) as occurred_at,
        {{ of_greatest('category', in_order(['occurred_at', 'event_id'])) }} as category,
        count(*) as view_count,
        list(event_id order by occurred_at, event_id) as event_ids
    from {{ ref('int_recent_events') }}
    where name = 'product_view' and product_id is not null
    group by profile_id, product_id, cast(occurred_at as date)
),

left_products as (
    select
        *,
        {{ moment_after('occurred_at', hours, 'hour') }} as available_at
    from views
    where
        not exists (
            select 1
            from {{ ref('int_recent_purchases') }} as purchases
            where
                purchases.profile_id = views.profile_id
                and purchases.product_id = views.product_id
                and purchases.bought_at >= views.first_viewed_at
                and purchases.bought_at <= {{ moment_after('views.occurred_at', hours, 'hour') }}
        )
)

select
    profile_id,
    product_id || '|' || cast(day as varchar) as occurrence_key,
    occurred_at,
    available_at,
    {{ moment_after('available_at', parameter('browse_abandonment_expiry_hours'), 'hour') }}
        as expires_at,
    {{ json_object({
        'product_ids': list_of_one('product_id'),
        'category': 'category',
        'view_count': 'view_count',
    }) }} as payload,
    event_ids
from left_products
where {{ is_listed('available_at', parameter('trigger_lookback_days')) }}
