-- Grain: one row per profile. The YAML says of each trait its formula, window, unit and source.
{% set on_site = [
    'active_day_count', 'session_count', 'product_view_count', 'category_view_count',
    'content_read_count', 'search_count', 'cart_add_count', 'dwell_seconds',
] -%}
with traits as (
    select
        persons.profile_id,
        persons.first_seen_at,
        persons.last_seen_at,
        persons.identifier_count,
        persons.country,
        persons.timezone,
        persons.local_timezone,
        persons.loyalty_tier,
        persons.data_quality_score,
        persons.email_consent,
        persons.sms_consent,
        persons.push_consent,
        persons.email_unsubscribed_at,
        persons.email_bounced_at,
        persons.last_email_engaged_at,
        persons.email_open_rate_90d,
        coalesce(persons.ticket_count, 0) as ticket_count,
        behaviour.preferred_hour,
        behaviour.first_session_at,
        behaviour.last_session_at,
        {{ whole_days_between('behaviour.last_session_at', as_of()) }} as days_since_last_session,
        coalesce(behaviour.session_count, 0) as session_count,
        coalesce(behaviour.active_day_count, 0) as active_day_count,
        behaviour.mobile_share_90d,
        behaviour.desktop_share_90d,
        behaviour.tablet_share_90d,
        persons.top_category,
        persons.top_category_share,
        persons.top_brand,
        persons.top_brand_share,
        orders.first_order_at,
        orders.last_order_at,
        orders.recency_days as days_since_last_order,
        coalesce(orders.order_count, 0) as order_count,
        coalesce(orders.store_order_count, 0) as store_order_count,
        coalesce(orders.lifetime_value, 0) as lifetime_value,
        coalesce(orders.refunded_value, 0) as refunded_value,
        orders.average_order_value,
        orders.discount_share,
        orders.discounted_order_share,
        orders.preferred_channel,
        orders.last_order_attribution,
        orders.recency_score,
        orders.frequency_score,
        orders.monetary_score,
        {% for days in windows() %}
            {% for trait in on_site %}
                coalesce(behaviour.{{ trait }}_{{ days }}d, 0) as {{ trait }}_{{ days }}d,
            {% endfor %}
            {% for trait in ['email_sent', 'email_open', 'email_click', 'ticket'] %}
                coalesce(persons.{{ trait }}_count_{{ days }}d, 0) as {{ trait }}_count_{{ days }}d,
            {% endfor %}
            coalesce(orders.order_count_{{ days }}d, 0) as order_count_{{ days }}d,
            coalesce(orders.order_value_{{ days }}d, 0) as order_value_{{ days }}d,
        {% endfor %}
        orders.rfm_group,
        predictions.churn_probability_7d,
        predictions.churn_probability_30d,
        predictions.churn_probability_90d,
        1 - predictions.churn_probability_90d as alive_probability_90d,
        predictions.purchase_probability_30d,
        predictions.predicted_value_90d,
        predictions.behaviour_cluster,
        predictions.scored_at
    from {{ ref('int_profile_persons') }} as persons
    left join {{ ref('int_profile_behaviour') }} as behaviour
        on persons.profile_id = behaviour.profile_id
    left join {{ ref('int_profile_customers') }} as orders
        on persons.profile_id = orders.profile_id
    left join {{ ref('int_profile_predictions') }} as predictions
        on persons.profile_id = predictions.profile_id
)

select
    *,
    {{ capped_points(parameter('engagement_points')) }} as engagement_score,
    case
        when {{ is_within('first_order_at', parameter('new_customer_days')) }} then 'new_customer'
        when {{ is_within('last_order_at', parameter('active_customer_days')) }}
            then 'active_customer'
        when {{ is_within('last_order_at', parameter('lost_customer_days')) }}
            then 'lapsing_customer'
        when last_order_at is not null then 'lost_customer'
        when {{ is_within('last_session_at', parameter('visitor_days')) }} then 'visitor'
        when last_session_at is not null then 'dormant_visitor'
        else 'contact'
    end as lifecycle_stage
from traits
