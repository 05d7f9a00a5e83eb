-- Grain: one row per profile that belongs to the segment.
select distinct profile_id
from {{ ref('int_carts') }}
where
    last_added_at <= {{ as_of() }} - {{ interval_of(parameter('cart_abandoned_hours'), 'hour') }}
    and last_added_at > {{ as_of() }} - {{ interval_of(parameter('cart_abandoner_days'), 'day') }}
    and purchased_at is null
