-- Grain: one row per session in which one of the named elements was clicked; the first click.
with clicks as (
    select * from {{ ref('int_recent_events') }}
    where
        name = 'click'
        and element in ({{ literals(parameter('promo_click_elements') or ['']) }})
),

firsts as (
    {{ first_by('clicks', 'session_id', 'occurred_at, event_id') }}
)

select
    profile_id,
    session_id as occurrence_key,
    occurred_at,
    occurred_at as available_at,
    {{ moment_after('occurred_at', parameter('promo_click_expiry_hours'), 'hour') }} as expires_at,
    {{ json_object({ 'element': 'element', 'page_type': 'page_type' }) }} as payload,
    {{ list_of_one('event_id') }} as event_ids
from firsts
where {{ is_listed('occurred_at', parameter('trigger_lookback_days')) }}
