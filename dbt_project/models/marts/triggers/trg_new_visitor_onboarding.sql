-- Grain: one row per profile whose first session went on for long, and came from Europe.
with firsts as (
    select
        profile_id,
        {{ of_least('session_id', in_order(['started_at', 'session_id'])) }} as session_id
    from {{ ref('int_sessions') }}
    group by profile_id
),

late as (
    select events.*
    from {{ ref('int_recent_events') }} as events
    inner join firsts
        on events.session_id = firsts.session_id
    where
        events.occurred_at > {{ moment_after(
            'events.session_started_at', parameter('new_visitor_minutes'), 'minute'
        ) }}
        and {{ is_from_region('events.country', 'europe') }}
),

reached as (
    {{ first_by('late', 'profile_id', 'occurred_at, event_id') }}
)

select
    profile_id,
    profile_id as occurrence_key,
    occurred_at,
    occurred_at as available_at,
    {{ moment_after('occurred_at', parameter('new_visitor_onboarding_expiry_hours'), 'hour') }}
        as expires_at,
    {{ json_object({ 'session_id': 'session_id', 'country': 'country' }) }} as payload,
    {{ ids_in_order({'session_id': 'session_started_at', 'event_id': 'occurred_at'}) }}
        as event_ids
from reached
where {{ is_listed('occurred_at', parameter('trigger_lookback_days')) }}
