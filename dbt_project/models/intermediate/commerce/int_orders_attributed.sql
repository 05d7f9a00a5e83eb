-- Grain: one row per order of a known profile: the channel of the last non-direct session begun
-- within attribution_days before it; of two begun at once the one with the greater id.
{% set window = interval_of(parameter('attribution_days'), 'day') %}
with touches as (
    select
        sessions.profile_id,
        sessions.session_id,
        sessions.started_at,
        channels.channel
    from {{ ref('int_sessions') }} as sessions
    inner join {{ ref('int_channels') }} as channels
        on
            sessions.utm_source = channels.utm_source
            and sessions.utm_medium = channels.utm_medium
    where channels.channel <> 'direct'
),

orders as (
    select
        orders.order_id,
        min(orders.profile_id) as profile_id,
        min(orders.ordered_at) as ordered_at,
        min(orders.channel) as order_channel,
        {{ greatest_record({
            'started_at': 'touches.started_at',
            'session_id': 'touches.session_id',
            'channel': 'touches.channel',
        }) }} filter (where touches.session_id is not null) as touch
    from {{ ref('int_orders_valued') }} as orders
    left join touches
        on
            orders.profile_id = touches.profile_id
            and orders.ordered_at >= touches.started_at
            and orders.ordered_at - {{ window }} < touches.started_at
    where orders.profile_id is not null and orders.is_order
    group by orders.order_id
)

select
    order_id,
    profile_id,
    ordered_at,
    order_channel,
    {{ field_of('touch', 'session_id') }} as session_id,
    {{ field_of('touch', 'started_at') }} as session_started_at,
    coalesce({{ field_of('touch', 'channel') }}, 'direct') as channel
from orders
