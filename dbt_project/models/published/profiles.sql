-- Grain: one row per profile. No contact data: identifiers are in identity_map, hashed.
select
    profile_id,
    first_seen_at,
    last_seen_at,
    cast(identifier_count as bigint) as identifier_count,
    country,
    timezone,
    loyalty_tier,
    cast(session_count as bigint) as session_count,
    cast(session_count_7d as bigint) as session_count_7d,
    last_session_at,
    cast(order_count as bigint) as order_count,
    cast(lifetime_value as decimal(18, 4)) as lifetime_value,
    first_order_at,
    last_order_at,
    {{ as_of() }} as as_of
from {{ ref('profile_traits') }}
