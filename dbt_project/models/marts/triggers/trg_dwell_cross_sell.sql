-- Grain: one row per session and product whose pages were seen for a while in it.
select
    profile_id,
    session_id || '|' || product_id as occurrence_key,
    occurred_at,
    left_at as available_at,
    {{ moment_after('left_at', parameter('dwell_cross_sell_expiry_hours'), 'hour') }}
        as expires_at,
    {{ json_object({
        'product_ids': list_of_one('product_id'),
        'category': 'category',
        'dwell_seconds': json_number('seconds_after'),
    }) }} as payload,
    event_ids
from {{ ref('int_product_dwells') }}
where
    {{ goes_over('seconds_before', 'seconds_after', parameter('dwell_cross_sell_seconds')) }}
    and {{ is_listed('left_at', parameter('trigger_lookback_days')) }}
