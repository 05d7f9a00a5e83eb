-- Grain: one row per segment's model, also one that could not be read: why its members of this
-- build do not count, and those of the last good one are kept. Null: they count.
with failures as (
    {{ segment_failures() }}
),

failed as (
    select
        model,
        min(file) as file,
        min(reason) filter (where not is_built) as not_built,
        min(reason) filter (where is_built) as failed_test
    from failures
    group by model
),

last_sizes as (
    select
        model,
        count(*) as size
    from {{ ref('segment_last_members') }}
    group by model
),

models as (
    select
        coalesce(definitions.model, failed.model) as model,
        coalesce(definitions.file, failed.file) as file,
        definitions.wrong_columns,
        definitions.may_be_empty,
        definitions.may_hold_everybody,
        failed.not_built,
        failed.failed_test
    from {{ ref('segment_definitions') }} as definitions
    full outer join failed
        on definitions.model = failed.model
)

select
    models.model,
    models.file,
    case
        when models.not_built is not null then models.not_built
        when models.wrong_columns <> ''
            then 'returns ' || models.wrong_columns || ' but no profile_id'
        when counts.null_count > 0
            then counts.null_count || ' of its rows have no profile_id'
        when counts.repeated_count > 0
            then counts.repeated_count || ' of its rows repeat a profile; write select distinct'
        when counts.unknown_count > 0
            then counts.unknown_count || ' of its rows name a profile that does not exist'
        when
            counts.row_count is null
            and last_sizes.size >= {{ parameter('segment_collapse_from') }}
            and not models.may_be_empty
            then
                'holds nobody, and held ' || last_sizes.size
                || ' before; if that is right, say `meta: {may_be_empty: true}`'
        when counts.holds_everybody and not models.may_hold_everybody
            then
                'holds everybody; if that is right, say `meta: {may_hold_everybody: true}`'
        else models.failed_test
    end as reason
from models
left join {{ ref('segment_counts') }} as counts
    on models.model = counts.model
left join last_sizes
    on models.model = last_sizes.model
