-- Grain: one row per profile, channel and moment at which its consent to marketing changed.
-- A grant counts for its channel if its purpose is marketing; a withdrawal also without a channel
-- (for all) or a purpose. Of one moment the withdrawal counts.
with records as (
    select
        {{ record_key('crm_consents', ['null', 'null', 'email', 'null', 'null', 'contact_id']) }}
            as record_key,
        channel,
        purpose,
        status,
        occurred_at
    from {{ ref('stg_crm__consents') }}
    where occurred_at <= {{ as_of() }}
),

counted as (
    select
        profiles.profile_id,
        records.channel,
        records.occurred_at,
        records.status
    from records
    inner join {{ ref('int_record_profiles') }} as profiles
        on records.record_key = profiles.record_key
    where
        records.purpose = 'marketing'
        or (records.status = 'withdrawn' and records.purpose is null)
),

by_channel as (
    {% for channel in ['email', 'sms', 'push'] %}
        select
            profile_id,
            '{{ channel }}' as channel,
            occurred_at,
            status
        from counted
        where channel = '{{ channel }}' or (channel is null and status = 'withdrawn')
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    profile_id,
    channel,
    occurred_at as changed_at,
    case when bool_or(status = 'withdrawn') then 'withdrawn' else min(status) end as status
from by_channel
group by profile_id, channel, occurred_at
