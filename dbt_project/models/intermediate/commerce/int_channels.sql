-- Grain: one row per pair of utm_source and utm_medium that sessions carry: its channel by the
-- mapping channels.csv, where a row that names both wins over one that names the medium, and that
-- over one that names the source. Pairs that no row names are `other`.
with pairs as (
    select distinct
        utm_source,
        utm_medium
    from {{ ref('int_sessions') }}
    where utm_source is not null
),

ranked as (
    select
        pairs.utm_source,
        pairs.utm_medium,
        {{ of_least('rules.channel', in_order([
            'case when rules.utm_medium is null then 1 else 0 end',
            'case when rules.utm_source is null then 1 else 0 end',
        ])) }} as channel
    from pairs
    left join {{ ref('channels') }} as rules
        on
            pairs.utm_source = coalesce(rules.utm_source, pairs.utm_source)
            and pairs.utm_medium = coalesce(rules.utm_medium, pairs.utm_medium)
    group by pairs.utm_source, pairs.utm_medium
)

select
    utm_source,
    utm_medium,
    coalesce(channel, 'other') as channel
from ranked
