-- Grain: one row per event name and reason for which events are in quarantine now.
select
    event_name,
    reason,
    row_count as rows,
    first_landed_at,
    last_landed_at,
    as_of
from {{ ref('tracking_plan_violations') }}
