-- Grain: one row per profile.
with found as (
    select
        found.*,
        golden.country,
        golden.timezone,
        golden.loyalty_tier
    from {{ ref('int_profiles_found') }} as found
    left join {{ ref('int_golden_records') }} as golden
        on found.profile_id = golden.profile_id
)

select
    found.profile_id,
    found.first_seen_at,
    found.last_seen_at,
    found.identifier_count,
    found.country,
    found.timezone,
    found.loyalty_tier,
    coalesce(sessions.session_count, 0) as session_count,
    coalesce(sessions.session_count_7d, 0) as session_count_7d,
    sessions.last_session_at,
    coalesce(orders.order_count, 0) as order_count,
    coalesce(orders.lifetime_value, 0) as lifetime_value,
    orders.first_order_at,
    orders.last_order_at
from found
left join {{ ref('int_profile_sessions') }} as sessions
    on found.profile_id = sessions.profile_id
left join {{ ref('int_profile_orders') }} as orders
    on found.profile_id = orders.profile_id
