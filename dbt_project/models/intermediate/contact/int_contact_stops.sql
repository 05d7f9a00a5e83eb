-- Grain: one row per profile, channel, kind and time during which messages must stop: from an
-- unsubscription until consent is given again, from a bounce until a message arrives again.
with records as (
    select
        {{ record_key(
            'crm_interactions', ['null', 'null', 'email', 'null', 'null', 'contact_id']
        ) }} as record_key,
        coalesce(channel, 'email') as channel,
        type,
        occurred_at
    from {{ ref('stg_crm__interactions') }}
    where
        occurred_at <= {{ as_of() }}
        and type in ('unsubscribe', 'bounce', 'delivered', 'open', 'click')
),

marks as (
    select
        profiles.profile_id,
        records.channel,
        records.occurred_at,
        case records.type
            when 'unsubscribe' then 'unsubscribed'
            else 'bounced'
        end as kind,
        records.type in ('unsubscribe', 'bounce') as is_stop
    from records
    inner join {{ ref('int_record_profiles') }} as profiles
        on records.record_key = profiles.record_key
    union all
    select
        profile_id,
        channel,
        changed_at as occurred_at,
        'unsubscribed' as kind,
        false as is_stop
    from {{ ref('int_consent_changes') }}
    where status = 'granted'
),

-- Of one moment the stop counts.
moments as (
    select
        profile_id,
        channel,
        kind,
        occurred_at,
        bool_or(is_stop) as is_stop
    from marks
    group by profile_id, channel, kind, occurred_at
),

followed as (
    select
        *,
        min(case when not is_stop then occurred_at end) over (
            partition by profile_id, channel, kind
            order by occurred_at rows between 1 following and unbounded following
        ) as ended_at
    from moments
)

select
    profile_id,
    channel,
    kind,
    min(occurred_at) as stopped_at,
    ended_at
from followed
where is_stop
group by profile_id, channel, kind, ended_at
