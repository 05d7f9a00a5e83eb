-- Grain: one row per segment: its definition, and why its members are those of an older build, if
-- they are. A model with tags has a segment for each tag that somebody has.
with wanted as (
    select
        model,
        segment,
        0 as place
    from {{ ref('segment_members') }}
    union
    select
        model,
        segment,
        0 as place
    from {{ ref('segment_last_members') }}
    union
    select
        model,
        model as segment,
        1 as place
    from {{ ref('segment_definitions') }}
    where not has_tags
    union
    -- Held, and it never had members, by whose tags it could be named.
    select
        model,
        model as segment,
        1 as place
    from {{ ref('segment_verdicts') }}
    where
        reason is not null
        and model not in (select past.model from {{ ref('segment_last_members') }} as past)
),

-- A file whose name is a segment of another model has no row: segment_verdicts tells of it.
ranked as (
    select
        model,
        segment,
        row_number() over (partition by segment order by place, model) as place
    from wanted
),

named as (
    select
        model,
        segment
    from ranked
    where place = 1
),

published as (
    select
        model,
        {{ of_greatest('description', 'number') }} as description,
        {{ of_greatest('owner', 'number') }} as owner,
        {{ of_greatest('definition_hash', 'number') }} as definition_hash,
        {{ of_greatest('definition_version', 'number') }} as definition_version,
        -- As a record, since it may be null, which an aggregate by number would pass over.
        {{ greatest_record({'number': 'number', 'held_since': 'held_since'}) }} as last_record
    from {{ source('ledger', 'segment_definitions') }}
    where recorded_at <= {{ as_of() }}
    group by model
)

select
    named.segment,
    named.model,
    verdicts.file,
    coalesce(
        definitions.description, verdicts.description, published.description, ''
    ) as description,
    coalesce(definitions.owner, verdicts.owner, published.owner, '') as owner,
    -- Of one that is held, what its members were made by.
    case
        when verdicts.reason is null then definitions.definition_hash
        else published.definition_hash
    end as definition_hash,
    case
        when verdicts.reason is null then definitions.definition_version
        else published.definition_version
    end as definition_version,
    coalesce(definitions.exclusive_set, '') as exclusive_set,
    verdicts.reason as held_because,
    case
        when verdicts.reason is not null
            then coalesce({{ field_of('published.last_record', 'held_since') }}, {{ as_of() }})
    end as held_since
from named
inner join {{ ref('segment_verdicts') }} as verdicts
    on named.model = verdicts.model
left join {{ ref('segment_definitions') }} as definitions
    on named.model = definitions.model
left join published
    on named.model = published.model
