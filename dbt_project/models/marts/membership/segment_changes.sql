-- Grain: one row per segment and profile that enters or leaves with this build, with the reason.
with members as (
    select * from {{ ref('segment_members') }}
    where barred_by is null
),

last_members as (
    select * from {{ ref('segment_last_members') }}
),

came_by_merge as (
    select distinct
        segment,
        profile_id
    from last_members
    where last_profile_id <> profile_id
),

entered as (
    select
        members.model,
        members.segment,
        members.profile_id,
        came_by_merge.profile_id is not null as is_merged
    from members
    left join came_by_merge
        on
            members.segment = came_by_merge.segment
            and members.profile_id = came_by_merge.profile_id
    where
        not exists (
            select 1 from last_members
            where
                last_members.segment = members.segment
                and last_members.last_profile_id = members.profile_id
        )
),

left_now as (
    select
        last_members.model,
        last_members.segment,
        last_members.last_profile_id as profile_id,
        last_members.profile_id as current_profile_id,
        barred.barred_by
    from last_members
    left join {{ ref('segment_members') }} as barred
        on
            last_members.segment = barred.segment
            and last_members.last_profile_id = barred.profile_id
    where barred.profile_id is null or barred.barred_by is not null
),

changes as (
    select
        model,
        segment,
        profile_id,
        'enter' as action,
        case when is_merged then 'merged' end as known_reason
    from entered
    union all
    select
        model,
        segment,
        profile_id,
        'exit' as action,
        case
            when current_profile_id is null then 'gone'
            when current_profile_id <> profile_id then 'merged'
            else barred_by
        end as known_reason
    from left_now
)

select
    changes.model,
    changes.segment,
    changes.profile_id,
    changes.action,
    case
        when changes.known_reason is not null then changes.known_reason
        when definitions.model is null then 'segment_removed'
        when definitions.last_definition_hash is null then 'segment_is_new'
        when definitions.last_definition_hash <> definitions.definition_hash
            then 'definition_changed'
        when changes.action = 'enter' then 'qualified'
        else 'no_longer_qualifies'
    end as reason,
    definitions.definition_version
from changes
left join {{ ref('segment_definitions') }} as definitions
    on changes.model = definitions.model
