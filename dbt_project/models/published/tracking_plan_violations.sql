-- Grain: one row per event name and reason for which events are in quarantine now.
with violations as (
    select
        lower({{ text(json_text('record', 'name')) }}) as event_name,
        {{ each_part('reason', '; ') }} as reason,
        {{ utc_time('_landed_at') }} as landed_at
    from {{ ref('quarantine') }}
    where entity = 'web_events' and is_record
),

named as (
    select
        -- A sender may have put anything where the name belongs, an address too.
        case
            when event_name is null then '(none)'
            when event_name like '%@%' or length(event_name) > 60 then '(not a name)'
            else event_name
        end as event_name,
        reason,
        landed_at
    from violations
)

select
    event_name,
    reason,
    count(*) as row_count,
    min(landed_at) as first_landed_at,
    max(landed_at) as last_landed_at,
    {{ as_of() }} as as_of
from named
group by event_name, reason
