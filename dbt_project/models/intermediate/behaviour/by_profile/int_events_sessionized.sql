-- Grain: one row per event of a known device, with the session it falls into.
with gaps as (
    select
        events.*,
        fingerprints.fingerprint as _fingerprint,
        events.occurred_at - lag(events.occurred_at) over (
            partition by events.device_id, events.profile_id
            order by events.occurred_at, events.event_id
        ) as pause
    from {{ ref('int_events_resolved') }} as events
    inner join {{ ref('int_profile_fingerprints') }} as fingerprints
        on events.profile_id = fingerprints.profile_id
    where {{ is_unbuilt('events.profile_id') }}
),

begun as (
    select
        *,
        case
            when
                pause is null
                or pause > {{ interval_of(parameter('session_timeout_minutes'), 'minute') }}
                then event_id
        end as begun_id
    from gaps
)

select
    event_id,
    profile_id,
    device_id,
    name,
    occurred_at,
    page_type,
    product_id,
    category,
    cart_id,
    quantity,
    value,
    dwell_seconds,
    scroll_depth,
    element,
    device_type,
    country,
    utm_source,
    utm_medium,
    is_content,
    is_conversion,
    {{ last_known('begun_id') }} over (
        partition by device_id, profile_id
        order by occurred_at, event_id rows between unbounded preceding and current row
    ) as session_id,
    _fingerprint
from begun
