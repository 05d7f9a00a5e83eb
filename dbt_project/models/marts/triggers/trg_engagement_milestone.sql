-- Grain: one row per profile and milestone: so many articles read in all its life.
{% set first_day = as_of_day(parameter('trigger_lookback_days')) %}
with earlier as (
    select
        profile_id,
        sum(content_read_count) as read_count
    from {{ ref('int_profile_days') }}
    where day < {{ first_day }}
    group by profile_id
),

reads as (
    select
        profile_id,
        event_id,
        occurred_at,
        row_number() over (partition by profile_id order by occurred_at, event_id) as number
    from {{ ref('int_recent_events') }}
    where is_content and occurred_at >= {{ first_day }}
),

numbered as (
    select
        reads.profile_id,
        reads.event_id,
        reads.occurred_at,
        cast(coalesce(earlier.read_count, 0) + reads.number as bigint) as read_count
    from reads
    left join earlier
        on reads.profile_id = earlier.profile_id
)

select
    profile_id,
    cast(read_count as varchar) as occurrence_key,
    occurred_at,
    occurred_at as available_at,
    {{ moment_after('occurred_at', parameter('engagement_milestone_expiry_hours'), 'hour') }}
        as expires_at,
    {{ json_object({ 'milestone': 'read_count' }) }} as payload,
    {{ list_of_one('event_id') }} as event_ids
from numbered
where
    read_count in ({{ (parameter('engagement_milestones') or [0]) | join(', ') }})
    and {{ is_listed('occurred_at', parameter('trigger_lookback_days')) }}
