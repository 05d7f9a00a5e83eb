-- Grain: one row per profile, kind of interest (category or brand) and name of it: its points.
-- Points halve with age: points * 0.5^(age in days / affinity_half_life_days).
with weighted as (
    select
        profile_id,
        category,
        brand,
        {{ decayed('points', 'day', parameter('affinity_half_life_days')) }} as points
    from {{ ref('int_profile_interests') }}
),

named as (
    {% for kind in ['category', 'brand'] %}
        select
            profile_id,
            '{{ kind }}' as kind,
            {{ kind }} as name,
            sum(points) as points
        from weighted
        where {{ kind }} is not null
        group by profile_id, {{ kind }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    profile_id,
    kind,
    name,
    cast(points as decimal(18, 6)) as points,
    {{ share_of('points', 'sum(points) over (partition by profile_id, kind)') }} as points_share
from named
