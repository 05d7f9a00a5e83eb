-- Grain: one row per profile, UTC day, event name, category and product, of events of interest.
{% set names = parameter('affinity_points') or {} -%}
select
    profile_id,
    cast(occurred_at as date) as day,
    name,
    category,
    product_id,
    count(*) as event_count,
    min(_fingerprint) as _fingerprint
from {{ ref('int_events_sessionized') }}
where
    name in ({{ literals(names) }})
    and coalesce(category, product_id) is not null
    and {{ is_unbuilt('profile_id') }}
group by profile_id, cast(occurred_at as date), name, category, product_id
