-- Grain: one row per session that went on for a while, saw a product, and has something in a cart.
{% set so_far = 'partition by session_id order by occurred_at, event_id'
    ~ ' rows between unbounded preceding and current row' %}
with events as (
    select
        *,
        {{ last_known("case when name = 'product_view' then event_id end") }} over ({{ so_far }})
            as view_id,
        {{ last_known("case when name = 'product_view' then product_id end") }} over ({{ so_far }})
            as viewed_product_id,
        {{ last_known("case when name = 'product_view' then occurred_at end") }} over ({{ so_far }})
            as viewed_at
    from {{ ref('int_recent_events') }}
),

ready as (
    select
        events.*,
        steps.cart_id,
        steps.value_after,
        steps.event_id as step_id,
        steps.occurred_at as step_at
    from events
    inner join {{ ref('int_cart_steps') }} as steps
        on
            events.session_id = steps.session_id
            and {{ place_of('steps') }} <= {{ place_of('events') }}
            -- The cart is then as this step left it.
            and (
                steps.next_event_id is null
                or {{ place_of('events') }}
                < {{ in_order(['steps.next_occurred_at', 'steps.next_event_id']) }}
            )
    where
        events.view_id is not null
        and events.occurred_at > {{ moment_after(
            'events.session_started_at', parameter('onsite_upsell_seconds'), 'second'
        ) }}
        and steps.pieces_after > 0
        and not {{ has_happened_by('steps.purchased_at', 'events.occurred_at') }}
),

firsts as (
    {{ first_by('ready', 'session_id', 'occurred_at, event_id, step_at, step_id') }}
)

select
    profile_id,
    session_id as occurrence_key,
    occurred_at,
    occurred_at as available_at,
    {{ moment_after('occurred_at', parameter('onsite_upsell_expiry_hours'), 'hour') }}
        as expires_at,
    {{ json_object({
        'product_ids': list_of_one('viewed_product_id'),
        'cart_id': 'cart_id',
        'value': json_number('value_after'),
    }) }} as payload,
    {{ ids_in_order({'view_id': 'viewed_at', 'step_id': 'step_at', 'event_id': 'occurred_at'}) }}
        as event_ids
from firsts
where {{ is_listed('occurred_at', parameter('trigger_lookback_days')) }}
