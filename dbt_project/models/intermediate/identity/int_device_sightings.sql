-- Grain: one row per device, person's identifier and day on which the device was seen with it; only
-- devices that were seen with more than one, since the others cannot be shared.
with days as (
    select
        {{ record_key('web_events', ['anonymous_id', 'user_id', 'email', 'null', 'null', 'null']) }}
            as record_key,
        {{ identifier_of("'anonymous_id'", 'anonymous_id') }} as device,
        cast(occurred_at as date) as day,
        min(_landed_at) as first_landed_at
    from {{ ref('stg_web__events') }}
    where occurred_at <= {{ as_of() }} and anonymous_id is not null
    group by all
),

sightings as (
    select
        days.device,
        hubs.identifier as person,
        days.day,
        min(days.first_landed_at) as first_landed_at
    from days
    inner join {{ ref('int_record_hubs') }} as hubs
        on days.record_key = hubs.record_key
    where hubs.identifier <> days.device
    group by days.device, hubs.identifier, days.day
),

several as (
    select device
    from sightings
    group by device
    having count(distinct person) > 1
)

select
    {{ identifier_key('device') }} as device_key,
    {{ identifier_key('person') }} as person_key,
    day,
    first_landed_at
from sightings
where
    device in (select several.device from several)
    and device in (select identifiers.identifier from {{ ref('int_identifiers') }} as identifiers)
