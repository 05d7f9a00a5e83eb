-- Grain: one row per profile: when it was seen, what is known of it, and the zone of its clock: its
-- own, else that of its country, else the company's.
{% set wanted = [
    'email', 'phone', 'first_name', 'last_name', 'birth_date', 'country', 'timezone', 'city',
    'postal_code',
] -%}
with zones as (
    {{ known_zones() }}
),

countries as (
    select
        spellings.name as country,
        zones.timezone
    from {{ ref('country_names') }} as spellings
    inner join {{ ref('country_timezones') }} as zones
        on spellings.country = zones.country
    union
    select
        lower(country) as country,
        timezone
    from {{ ref('country_timezones') }}
)

select
    found.profile_id,
    found.first_seen_at,
    found.last_seen_at,
    found.identifier_count,
    golden.country,
    golden.timezone,
    golden.loyalty_tier,
    coalesce(
        case when golden.timezone in (select zones.name from zones) then golden.timezone end,
        countries.timezone,
        {{ literals([parameter('company_timezone')]) }}
    ) as local_timezone,
    {{ count_known('golden', wanted) }} as known_detail_count,
    {{ wanted | length }} as wanted_detail_count
from {{ ref('int_profiles_found') }} as found
left join {{ ref('int_golden_records') }} as golden
    on found.profile_id = golden.profile_id
left join countries
    on lower(golden.country) = countries.country
