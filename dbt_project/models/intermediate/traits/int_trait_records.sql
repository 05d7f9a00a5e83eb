-- Grain: one row per source and combination of identifiers and traits that some record carries:
-- the newest such record, if its profile is known. Of records that say the same it wins anyway.
with contacts as (
    select
        {{ record_key(
            'crm_contacts', ['null', 'null', 'email', 'phone', 'customer_id', 'contact_id']
        ) }} as record_key,
        'crm_contacts' as source,
        contact_id as record_id,
        coalesce(updated_at, created_at) as observed_at,
        _landed_at as landed_at,
        {{ trait_columns([
            'first_name', 'last_name', 'birth_date', 'gender', 'email', 'phone',
            'country', 'timezone', 'city', 'postal_code', 'loyalty_tier',
        ]) }}
    from {{ ref('stg_crm__contacts') }}
    where coalesce(created_at, updated_at, {{ as_of() }}) <= {{ as_of() }}
),

newest_orders as (
    select
        customer_id,
        email,
        phone,
        country,
        {{ greatest_record({
            'observed_at': 'ordered_at', 'record_id': 'order_id', 'landed_at': '_landed_at',
        }) }} as newest
    from {{ ref('stg_shop__orders') }}
    where ordered_at <= {{ as_of() }}
    group by customer_id, email, phone, country
),

orders as (
    select
        {{ record_key('shop_orders', ['null', 'null', 'email', 'phone', 'customer_id', 'null']) }}
            as record_key,
        'shop_orders' as source,
        newest.record_id,
        newest.observed_at,
        newest.landed_at,
        {{ trait_columns(['email', 'phone', 'country']) }}
    from newest_orders
),

newest_events as (
    select
        anonymous_id,
        user_id,
        email,
        country,
        timezone,
        {{ greatest_record({
            'observed_at': 'occurred_at', 'record_id': 'event_id', 'landed_at': '_landed_at',
        }) }} as newest
    from {{ ref('stg_web__events') }}
    where occurred_at <= {{ as_of() }}
    group by anonymous_id, user_id, email, country, timezone
),

events as (
    select
        {{ record_key('web_events', ['anonymous_id', 'user_id', 'email', 'null', 'null', 'null']) }}
            as record_key,
        'web_events' as source,
        newest.record_id,
        newest.observed_at,
        newest.landed_at,
        {{ trait_columns(['email', 'country', 'timezone']) }}
    from newest_events
),

records as (
    select * from contacts
    union all
    select * from orders
    union all
    select * from events
)

select
    profiles.profile_id,
    records.source,
    records.record_id,
    records.observed_at,
    records.landed_at,
    {{ completeness() }} as completeness,
    {{ traits() }}
from records
inner join {{ ref('int_record_profiles') }} as profiles
    on records.record_key = profiles.record_key
