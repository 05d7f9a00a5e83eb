-- Grain: one row per profile of which any trait is known. Contact data, never published whole.
select
    profile_id,
    max(case when trait = 'first_name' then value end) as first_name,
    max(case when trait = 'last_name' then value end) as last_name,
    cast(max(case when trait = 'birth_date' then value end) as date) as birth_date,
    max(case when trait = 'gender' then value end) as gender,
    max(case when trait = 'email' then value end) as email,
    max(case when trait = 'phone' then value end) as phone,
    max(case when trait = 'country' then value end) as country,
    max(case when trait = 'timezone' then value end) as timezone,
    max(case when trait = 'city' then value end) as city,
    max(case when trait = 'postal_code' then value end) as postal_code,
    max(case when trait = 'loyalty_tier' then value end) as loyalty_tier
from {{ ref('int_trait_values') }}
group by profile_id
