-- Grain: one row per profile that belongs to the segment.
select distinct profile_id
from {{ ref('int_sessions') }}
where
    content_page_count > {{ parameter('content_explorer_pages') }}
    and not has_conversion
    and started_at > {{ as_of() }} - {{ interval_of(parameter('content_explorer_days'), 'day') }}
