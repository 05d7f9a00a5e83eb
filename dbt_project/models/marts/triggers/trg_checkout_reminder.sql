-- Grain: one row per cart to which a product was added whose pages were seen for long in that
-- session, and which was not bought by then.
with dwells as (
    select * from {{ ref('int_product_dwells') }}
    where {{ goes_over(
        'seconds_before', 'seconds_after', parameter('checkout_reminder_seconds')
    ) }}
),

wanted as (
    select
        dwells.profile_id,
        dwells.product_id,
        dwells.event_id as view_id,
        dwells.occurred_at as viewed_at,
        dwells.seconds_after,
        steps.cart_id,
        steps.event_id as step_id,
        steps.occurred_at as step_at,
        steps.purchased_at,
        greatest(dwells.occurred_at, steps.occurred_at) as occurred_at,
        greatest(dwells.left_at, steps.occurred_at) as available_at
    from dwells
    inner join {{ ref('int_cart_steps') }} as steps
        on dwells.session_id = steps.session_id and dwells.product_id = steps.product_id
    where steps.name = 'add_to_cart'
),

unbought as (
    select * from wanted
    where not {{ has_happened_by('purchased_at', 'available_at') }}
),

firsts as (
    {{ first_by('unbought', 'cart_id', 'available_at, step_at, step_id, view_id') }}
)

select
    profile_id,
    cart_id as occurrence_key,
    occurred_at,
    available_at,
    {{ moment_after('available_at', parameter('checkout_reminder_expiry_hours'), 'hour') }}
        as expires_at,
    {{ json_object({
        'cart_id': 'cart_id',
        'product_ids': list_of_one('product_id'),
        'dwell_seconds': json_number('seconds_after'),
    }) }} as payload,
    {{ ids_in_order({'view_id': 'viewed_at', 'step_id': 'step_at'}) }} as event_ids
from firsts
where {{ is_listed('available_at', parameter('trigger_lookback_days')) }}
