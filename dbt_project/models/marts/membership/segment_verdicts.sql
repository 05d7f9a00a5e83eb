-- Grain: one row per segment's model, also one that could not be read: why its members of this
-- build do not count, and those of the last good one are kept. Null: they count.
with failures as (
    {{ segment_failures() }}
),

faults as (
    select
        model,
        file,
        case when not is_built then reason end as not_built,
        case when is_built then reason end as failed_test,
        null as bad_name,
        description,
        owner
    from failures
    union all
    select
        model,
        null as file,
        null as not_built,
        null as failed_test,
        fault as bad_name,
        null as description,
        null as owner
    from {{ ref('segment_names') }}
    where fault is not null
),

failed as (
    select
        model,
        min(file) as file,
        min(not_built) as not_built,
        min(failed_test) as failed_test,
        min(bad_name) as bad_name,
        min(description) as description,
        min(owner) as owner
    from faults
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
        coalesce(failed.file, definitions.file) as file,
        failed.description,
        failed.owner,
        definitions.wrong_columns,
        definitions.may_be_empty,
        definitions.may_hold_everybody,
        failed.not_built,
        failed.failed_test,
        failed.bad_name
    from {{ ref('segment_definitions') }} as definitions
    full outer join failed
        on definitions.model = failed.model
)

select
    models.model,
    models.file,
    models.description,
    models.owner,
    case
        when models.not_built is not null then models.not_built
        when models.wrong_columns <> ''
            then 'returns ' || models.wrong_columns || ' but no profile_id'
        when counts.null_count > 0
            then counts.null_count || ' of its rows have no profile_id'
        when counts.untagged_count > 0
            then counts.untagged_count || ' of its rows have no tag'
        when models.bad_name is not null then models.bad_name
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
