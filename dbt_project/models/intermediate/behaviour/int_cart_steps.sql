-- Grain: one row per event of a cart that was touched within the lookback of triggers, or in the
-- days of context before it. Carts are whole.
with steps as (
    select
        carts.cart_id,
        carts.profile_id,
        carts.purchased_at,
        events.event_id,
        events.session_id,
        events.name,
        events.occurred_at,
        events.product_id,
        case events.name
            when 'add_to_cart' then coalesce(events.quantity, 1)
            when 'remove_from_cart' then -coalesce(events.quantity, 1)
            else 0
        end as pieces,
        case events.name
            when 'add_to_cart' then coalesce(events.value, 0)
            when 'remove_from_cart' then -coalesce(events.value, 0)
            else 0
        end as value
    from {{ ref('int_events_sessionized') }} as events
    inner join {{ ref('int_carts') }} as carts
        on events.cart_id = carts.cart_id
    where
        {{ may_matter(
            'carts.last_event_at',
            parameter('trigger_lookback_days'), parameter('trigger_context_days')
        ) }}
)

select
    cart_id,
    profile_id,
    purchased_at,
    event_id,
    session_id,
    name,
    occurred_at,
    product_id,
    pieces,
    sum(pieces) over so_far as pieces_after,
    greatest(sum(value) over so_far, 0) as value_after,
    lead(occurred_at) over in_cart as next_occurred_at,
    lead(event_id) over in_cart as next_event_id
from steps
window
    in_cart as (partition by cart_id order by occurred_at, event_id),
    so_far as (
        partition by cart_id
        order by occurred_at, event_id rows between unbounded preceding and current row
    )
