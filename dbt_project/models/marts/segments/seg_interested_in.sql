-- Grain: one row per profile and category (`tag`) that it is interested in.
select
    profile_id,
    {{ slug('name') }} as tag
from {{ ref('int_profile_affinities') }}
where kind = 'category' and {{ slug('name') }} <> ''
group by profile_id, {{ slug('name') }}
having
    sum(points) >= {{ parameter('interest_score') }}
    and sum(points_share) >= {{ parameter('interest_share') }}
