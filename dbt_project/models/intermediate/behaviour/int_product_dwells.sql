-- Grain: one row per product view of a session with a dwell time: how long the product's pages were
-- seen in that session until this one was left, and before.
with views as (
    select
        *,
        {{ left_at('occurred_at', 'dwell_seconds') }} as left_at
    from {{ ref('int_recent_events') }}
    where name = 'product_view' and product_id is not null and dwell_seconds > 0
)

select
    event_id,
    profile_id,
    session_id,
    product_id,
    category,
    occurred_at,
    left_at,
    sum(dwell_seconds) over so_far - dwell_seconds as seconds_before,
    sum(dwell_seconds) over so_far as seconds_after,
    {{ list_of('event_id') }} over so_far as event_ids
from views
window
    so_far as (
        partition by session_id, product_id
        order by left_at, event_id rows between unbounded preceding and current row
    )
