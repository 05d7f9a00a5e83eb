-- Grain: one row per abandoned cart: left quiet for a while, not bought, not yet too old to act on.
{% set quiet = interval_of(parameter('cart_trigger_minutes'), 'minute') %}
{% set expiry = interval_of(parameter('cart_trigger_expiry_hours'), 'hour') %}
select
    profile_id,
    cart_id as occurrence_key,
    last_event_at as occurred_at,
    last_event_at + {{ quiet }} as available_at,
    last_event_at + {{ expiry }} as expires_at,
    cast(to_json({ 'cart_id': cart_id, 'product_ids': product_ids }) as varchar) as payload,
    event_ids
from {{ ref('int_carts') }}
where
    last_event_at <= {{ as_of() }} - {{ quiet }}
    and last_event_at > {{ as_of() }} - {{ expiry }}
    and purchased_at is null
