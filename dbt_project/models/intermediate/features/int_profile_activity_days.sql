-- Grain: one row per profile and UTC day on which anything was known of it: what it did, bought,
-- was sent and complained of. Each thing stands on the day it happened, also a refund, so that the
-- days before a moment say only what was known at it.
{% set on_site = [
    'event_count', 'session_count', 'mobile_session_count', 'desktop_session_count',
    'product_view_count', 'category_view_count', 'content_read_count', 'search_count',
    'cart_add_count', 'cart_add_value', 'dwell_seconds',
] -%}
{% set orders = ['order_count', 'order_value', 'discount_value', 'refunded_value'] -%}
{% set messages = ['email_sent_count', 'email_open_count', 'email_click_count', 'ticket_count'] -%}
{% set all_columns = on_site + orders + messages -%}
with days as (
    {{ stacked(ref('int_profile_days'), on_site, all_columns) }}
    union all
    {{ stacked(ref('int_profile_purchase_days'), orders, all_columns) }}
    union all
    {{ stacked(ref('int_profile_message_days'), messages, all_columns) }}
)

select
    profile_id,
    day,
    {% for column in all_columns %}
        {{ sum_of_day(column) }} as {{ column }},
    {% endfor %}
    max(case when event_count > 0 or order_count > 0 then 1 else 0 end) as active_day_count
from days
group by profile_id, day
