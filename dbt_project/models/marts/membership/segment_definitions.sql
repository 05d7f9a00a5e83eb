-- Grain: one row per segment's model, as its file and its YAML are now, with its version: a hash
-- that is not the last published one is a new version.
with defined as (
    {{ segment_definitions() }}
),

published as (
    select
        model,
        {{ of_greatest('definition_hash', 'number') }} as definition_hash,
        {{ of_greatest('definition_version', 'number') }} as definition_version
    from {{ source('ledger', 'segment_definitions') }}
    where recorded_at <= {{ as_of() }}
    group by model
)

select
    defined.*,
    published.definition_hash as last_definition_hash,
    case
        when published.definition_hash = defined.definition_hash then published.definition_version
        else coalesce(published.definition_version, 0) + 1
    end as definition_version
from defined
left join published
    on defined.model = published.model
