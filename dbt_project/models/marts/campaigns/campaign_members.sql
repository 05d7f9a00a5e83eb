-- Grain: one row per campaign of a segment, member and occurrence: each entry, once ever, or each
-- local day, week or month during which the profile is a member.
{% set lookback = interval_of(parameter('trigger_lookback_days'), 'day') %}
with stays as (
    select
        campaigns.campaign,
        campaigns.every,
        stays.profile_id,
        -- The campaign's own clock, else the profile's.
        coalesce(campaigns.timezone, traits.local_timezone) as zone,
        stays.entered_at,
        -- At its exit a profile is no member any more.
        coalesce(stays.exited_at - interval '1 microsecond', {{ as_of() }}) as last_at
    from {{ ref('campaign_definitions') }} as campaigns
    inner join {{ ref('segment_stays') }} as stays
        on campaigns.audience = stays.segment
    inner join {{ ref('profile_traits') }} as traits
        on stays.profile_id = traits.profile_id
    where campaigns.audience_kind = 'segment' and campaigns.fault is null
),

begun as (
    select
        *,
        {{ local_period(
            'every', 'greatest(entered_at, ' ~ as_of() ~ ' - ' ~ lookback ~ ')', 'zone'
        ) }} as first_period,
        {{ local_period('every', 'last_at', 'zone') }} as last_period
    from stays
    where
        every in ('day', 'week', 'month')
        and last_at > {{ as_of() }} - {{ lookback }}
),

periods as (
    select
        campaign,
        every,
        profile_id,
        zone,
        entered_at,
        unnest({{ periods_between('first_period', 'last_period', 'every') }}) as begins
    from begun
),

occurrences as (
    select
        campaign,
        profile_id,
        strftime(begins, '%Y-%m-%d') as occurrence_key,
        greatest(entered_at, {{ utc_of_local('begins', 'zone') }}) as occurred_at,
        {{ utc_of_local('begins + ' ~ period_length('every'), 'zone') }} as expires_at
    from periods
    union all
    select
        campaign,
        profile_id,
        case every
            when 'once' then 'once' else 'entry at ' || strftime(entered_at, '%Y-%m-%d %H:%M:%S')
        end as occurrence_key,
        entered_at as occurred_at,
        cast(null as timestamp) as expires_at
    from stays
    where every = 'once' or (every = 'entry' and entered_at > {{ as_of() }} - {{ lookback }})
)

-- Who left and came back within a period, or was merged, still comes into question once.
select
    campaign,
    profile_id,
    occurrence_key,
    min(occurred_at) as occurred_at,
    max(expires_at) as expires_at
from occurrences
where occurred_at <= {{ as_of() }}
group by campaign, profile_id, occurrence_key
