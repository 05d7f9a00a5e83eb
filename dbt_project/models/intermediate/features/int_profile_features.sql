-- Grain: one row per profile that was active before as_of: what models know of it at that moment.
-- Only days known at as_of are read, so the same SQL gives the features of any past midnight from
-- the tables of today: training renders it for each of its cutoffs, scoring builds it for as_of.
{% set sums = {
    'active_day_count': [7, 28, 90], 'session_count': [7, 28, 90], 'product_view_count': [7, 28],
    'category_view_count': [28], 'content_read_count': [28], 'search_count': [28],
    'cart_add_count': [28], 'cart_add_value': [28], 'dwell_seconds': [28],
    'order_count': [28, 90, 365], 'order_value': [28, 90, 365], 'refunded_value': [365],
    'email_sent_count': [28], 'email_click_count': [90], 'ticket_count': [90],
} -%}
with activity as (
    select
        profile_id,
        {{ days_since_first('active_day_count > 0') }} as tenure_days,
        {{ days_since_last('active_day_count > 0') }} as days_since_last_activity,
        {{ days_since_last('session_count > 0') }} as days_since_last_session,
        {{ days_since_last('order_count > 0') }} as days_since_last_order,
        {{ days_since_last('email_open_count + email_click_count > 0') }}
            as days_since_last_email_response,
        {% for column, windows in sums.items() %}
            {% for days in windows %}
                {{ sum_of_last(column, days) }} as {{ column }}_{{ days }}d,
            {% endfor %}
        {% endfor %}
        {{ share_of_last('mobile_session_count', 'session_count', 90) }} as mobile_share_90d,
        {{ share_of_last('desktop_session_count', 'session_count', 90) }} as desktop_share_90d,
        {{ share_of_last('email_open_count', 'email_sent_count', 90) }} as email_open_rate_90d,
        {{ share_of_last('discount_value', 'order_value + discount_value', 365) }}
            as discount_share_365d,
        {{ share_of_last('order_value', 'order_count', 365) }} as average_order_value_365d,
        {{ trend_of_last('active_day_count', 28) }} as active_day_trend_28d,
        {{ trend_of_last('product_view_count', 28) }} as product_view_trend_28d,
        {{ trend_of_last('order_value', 90) }} as order_value_trend_90d
    from {{ ref('int_profile_activity_days') }}
    where {{ was_known('day') }}
    group by profile_id
    having max(active_day_count) > 0
),

categories as (
    select
        profile_id,
        category,
        sum({{ decayed('points', 'day', parameter('affinity_half_life_days')) }}) as points
    from {{ ref('int_profile_interests') }}
    where category is not null and {{ was_known('day') }}
    group by profile_id, category
),

interests as (
    select
        profile_id,
        count(*) as interest_category_count,
        sum(points) as interest_points,
        {{ share_of('max(points)', 'sum(points)') }} as top_category_share,
        -- Of categories with as many points the first by name.
        {{ of_least('category', in_order(['-points', 'category'])) }} as top_category
    from categories
    where points > 0
    group by profile_id
)

select
    activity.*,
    greatest(activity.cart_add_value_28d - activity.order_value_28d, 0)
        as unbought_cart_value_28d,
    coalesce(interests.interest_points, 0) as interest_points,
    coalesce(interests.interest_category_count, 0) as interest_category_count,
    coalesce(interests.top_category_share, 0) as top_category_share,
    coalesce(interests.top_category, 'none') as top_category
from activity
left join interests
    on activity.profile_id = interests.profile_id
