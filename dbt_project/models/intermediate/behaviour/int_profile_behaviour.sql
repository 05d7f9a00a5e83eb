-- Grain: one row per profile with events: what it did on site, in all and by window.
{% set measures = [
    'session_count', 'product_view_count', 'category_view_count', 'content_read_count',
    'search_count', 'cart_add_count',
] -%}
with activity as (
    select
        profile_id,
        min(first_event_at) as first_session_at,
        max(last_event_at) as last_session_at,
        cast(sum(session_count) as bigint) as session_count,
        count(*) as active_day_count,
        {% for days in windows() %}
            count(*) filter (where {{ in_window('day', days) }}) as active_day_count_{{ days }}d,
            {% for measure in measures %}
                {{ count_in_window(measure, days) }} as {{ measure }}_{{ days }}d,
            {% endfor %}
            {{ amount_in_window('dwell_seconds', days) }} as dwell_seconds_{{ days }}d,
        {% endfor %}
        {{ session_share('mobile_session_count', 90) }} as mobile_share_90d,
        {{ session_share('desktop_session_count', 90) }} as desktop_share_90d,
        {{ session_share('tablet_session_count', 90) }} as tablet_share_90d
    from {{ ref('int_profile_days') }}
    group by profile_id
),

visits as (
    select
        sessions.profile_id,
        cast(extract(
            hour from {{ local_time('sessions.started_at', 'details.local_timezone') }}
        ) as bigint) as local_hour
    from {{ ref('int_sessions') }} as sessions
    inner join {{ ref('int_profile_details') }} as details
        on sessions.profile_id = details.profile_id
    where {{ in_window('cast(sessions.started_at as date)', parameter('preferred_hour_days')) }}
),

hours as (
    select
        profile_id,
        local_hour,
        count(*) as visit_count
    from visits
    group by profile_id, local_hour
),

preferred as (
    select
        profile_id,
        -- Of hours with as many visits the earlier.
        {{ of_least('local_hour', in_order(['-visit_count', 'local_hour'])) }} as preferred_hour
    from hours
    group by profile_id
)

select
    activity.*,
    preferred.preferred_hour
from activity
left join preferred
    on activity.profile_id = preferred.profile_id
