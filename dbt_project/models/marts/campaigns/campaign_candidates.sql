-- Grain: one row per campaign, step, profile and occurrence key that has come due: what is to be
-- decided, or was.
with campaigns as (
    select
        campaign,
        audience_kind,
        audience,
        starts_at,
        ends_at,
        unnest(steps) as one_step
    from {{ ref('campaign_definitions') }}
    where fault is null
),

triggered as (
    select
        campaigns.*,
        occurrences.profile_id,
        occurrences.occurrence_key,
        occurrences.occurred_at,
        occurrences.available_at,
        occurrences.expires_at,
        occurrences.payload,
        occurrences.event_ids
    from campaigns
    inner join {{ ref('campaign_triggers') }} as occurrences
        on campaigns.audience = occurrences.trigger_name
    where campaigns.audience_kind = 'trigger'
),

members as (
    select
        campaigns.*,
        occurrences.profile_id,
        occurrences.occurrence_key,
        occurrences.occurred_at,
        occurrences.occurred_at as available_at,
        occurrences.expires_at,
        '{}' as payload,
        cast([] as varchar[]) as event_ids
    from campaigns
    inner join {{ ref('campaign_members') }} as occurrences
        on campaigns.campaign = occurrences.campaign
    where campaigns.audience_kind = 'segment'
),

everybody as (
    select * from triggered
    union all
    select * from members
),

stepped as (
    select
        *,
        {{ field_of('one_step', 'step') }} as step,
        {{ field_of('one_step', 'place') }} as step_place,
        greatest(
            available_at,
            occurred_at + {{ seconds(field_of('one_step', 'after_seconds')) }}
        ) as due_at
    from everybody
)

select
    {{ key_of(['campaign', 'step', 'profile_id', 'occurrence_key']) }} as decision_id,
    campaign,
    step,
    step_place,
    profile_id,
    occurrence_key,
    occurred_at,
    due_at,
    least(expires_at, ends_at) as expires_at,
    payload,
    event_ids
from stepped
where
    due_at <= {{ as_of() }}
    and (starts_at is null or due_at >= starts_at)
