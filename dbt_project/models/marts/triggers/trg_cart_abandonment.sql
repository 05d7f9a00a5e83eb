-- Grain: one row per cart that was left for a while with something in it, not bought.
select
    profile_id,
    cart_id as occurrence_key,
    occurred_at,
    available_at,
    {{ moment_after('available_at', parameter('cart_abandonment_expiry_hours'), 'hour') }}
        as expires_at,
    {{ json_object({
        'cart_id': 'cart_id',
        'product_ids': 'product_ids',
        'value': json_number('value'),
    }) }} as payload,
    event_ids
from {{ ref('int_cart_pauses') }}
where {{ is_listed('available_at', parameter('trigger_lookback_days')) }}
