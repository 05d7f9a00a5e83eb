-- Grain: one row per profile, kind of conversion and moment at which it happened: orders, and
-- events of the tracking plan under their own name.
select
    profile_id,
    'order' as conversion,
    ordered_at as happened_at,
    min(order_id) as evidence
from {{ ref('int_orders_valued') }}
where profile_id is not null and is_order
group by profile_id, ordered_at
union all
select
    profile_id,
    name as conversion,
    occurred_at as happened_at,
    min(event_id) as evidence
from {{ ref('int_events_resolved') }}
where
    profile_id is not null
    and name <> 'order'
    and name in (
        select campaigns.conversion_event from {{ ref('campaign_definitions') }} as campaigns
        where campaigns.conversion_event is not null
    )
group by profile_id, name, occurred_at
