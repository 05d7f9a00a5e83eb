-- Grain: one row per profile, product and run of views that are close together; a run begins with
-- the first of the views that made it so.
{% set count, hours = parameter('repeat_view_count'), parameter('repeat_view_hours') %}
{% set of_one = 'partition by profile_id, product_id order by occurred_at, event_id' %}
with views as (
    select
        *,
        {{ is_nth_within(count, hours, 'hour', 'profile_id, product_id') }} as is_repeated,
        lag(event_id, {{ count - 1 }}) over ({{ of_one }}) as first_view_id,
        {{ list_of('event_id') }} over (
            {{ of_one }} rows between {{ count - 1 }} preceding and current row
        ) as event_ids
    from {{ ref('int_recent_events') }}
    where name = 'product_view' and product_id is not null
),

compared as (
    select
        *,
        coalesce(lag(is_repeated) over ({{ of_one }}), false) as was_repeated
    from views
)

select
    profile_id,
    product_id || '|' || first_view_id as occurrence_key,
    occurred_at,
    occurred_at as available_at,
    {{ moment_after('occurred_at', parameter('repeat_product_view_expiry_hours'), 'hour') }}
        as expires_at,
    {{ json_object({
        'product_ids': list_of_one('product_id'),
        'category': 'category',
        'view_count': count,
    }) }} as payload,
    event_ids
from compared
where
    is_repeated
    and not was_repeated
    and {{ is_listed('occurred_at', parameter('trigger_lookback_days')) }}
