-- Grain: one row per cart: its first pause of cart_trigger_minutes in which there was something in
-- it, and it was not bought.
{% set minutes = parameter('cart_trigger_minutes') %}
with pauses as (
    select
        *,
        {{ moment_after('occurred_at', minutes, 'minute') }} as available_at
    from {{ ref('int_cart_steps') }}
    where
        pieces_after > 0
        and {{ stays_away('next_occurred_at', 'occurred_at', minutes, 'minute') }}
        and {{ stays_away('purchased_at', 'occurred_at', minutes, 'minute') }}
        -- Before that nobody knows whether it becomes a pause.
        and {{ moment_after('occurred_at', minutes, 'minute') }} <= {{ as_of() }}
),

firsts as (
    {{ first_by('pauses', 'cart_id', 'occurred_at, event_id') }}
),

steps as (
    select
        steps.*,
        sum(steps.pieces) over (partition by steps.cart_id, steps.product_id) as product_pieces
    from {{ ref('int_cart_steps') }} as steps
    inner join firsts
        on steps.cart_id = firsts.cart_id and {{ place_of('steps') }} <= {{ place_of('firsts') }}
),

contents as (
    select
        cart_id,
        list(distinct product_id order by product_id)
        filter (where product_id is not null and product_pieces > 0) as product_ids,
        list(event_id order by occurred_at, event_id) as event_ids,
        max(occurred_at) filter (where name = 'add_to_cart') as last_added_at,
        {{ of_greatest('event_id', in_order(['occurred_at', 'event_id'])) }}
        filter (where name = 'add_to_cart') as last_added_id
    from steps
    group by cart_id
)

select
    firsts.cart_id,
    firsts.profile_id,
    firsts.occurred_at,
    firsts.available_at,
    contents.last_added_at,
    contents.last_added_id,
    contents.product_ids,
    firsts.value_after as value,
    contents.event_ids
from firsts
inner join contents
    on firsts.cart_id = contents.cart_id
