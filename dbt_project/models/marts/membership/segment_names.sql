-- Grain: one row per segment's model and segment that it makes: what is wrong with its name.
with claimed as (
    select distinct
        model,
        segment
    from {{ ref('segment_candidates') }}
    where segment is not null
    union
    select
        model,
        model as segment
    from {{ ref('segment_definitions') }}
    where not has_tags
),

last_names as (
    select distinct
        model,
        segment
    from {{ ref('segment_last_members') }}
),

-- A name is of the model that was published with it, else of the file with this very name.
owned as (
    select
        claimed.model,
        claimed.segment,
        first_value(claimed.model) over (
            partition by claimed.segment
            order by
                case when last_names.model is null then 1 else 0 end,
                case when claimed.model = claimed.segment then 0 else 1 end,
                claimed.model
        ) as owner_model
    from claimed
    left join last_names
        on claimed.model = last_names.model and claimed.segment = last_names.segment
)

select
    model,
    segment,
    case
        when segment <> model and segment <> {{ slug('segment') }}
            then
                'its tag "' || substr(segment, length(model) + 2) || '" is no part of a name: '
                || 'write lower case letters, digits and single _, as the macro slug() does'
        when owner_model <> model
            then
                'its segment ' || segment || ' is one of seg_' || owner_model
                || ' already; rename one'
    end as fault
from owned
