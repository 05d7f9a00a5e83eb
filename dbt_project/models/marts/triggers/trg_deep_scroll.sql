-- Grain: one row per session in which a page was scrolled deep; the first time.
with scrolls as (
    select * from {{ ref('int_recent_events') }}
    where {{ has_scrolled('scroll_depth', parameter('deep_scroll_depth')) }}
),

firsts as (
    {{ first_by('scrolls', 'session_id', 'occurred_at, event_id') }}
)

select
    profile_id,
    session_id as occurrence_key,
    occurred_at,
    occurred_at as available_at,
    {{ moment_after('occurred_at', parameter('deep_scroll_expiry_hours'), 'hour') }} as expires_at,
    {{ json_object({
        'scroll_depth': json_number('scroll_depth'),
        'page_type': 'page_type',
        'product_id': 'product_id',
        'category': 'category',
    }) }} as payload,
    {{ list_of_one('event_id') }} as event_ids
from firsts
where {{ is_listed('occurred_at', parameter('trigger_lookback_days')) }}
