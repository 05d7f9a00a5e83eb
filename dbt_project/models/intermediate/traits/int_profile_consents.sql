-- Grain: one row per profile of which a consent record is known: its state in each channel.
-- A grant counts for its channel if its purpose is marketing; a withdrawal also without a channel
-- (for all) or a purpose. The newest counts, and of two of one moment the withdrawal.
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
        -- Of one moment the greater wins.
        case records.status when 'withdrawn' then 1 else 0 end as is_withdrawal,
        records.status
    from records
    inner join {{ ref('int_record_profiles') }} as profiles
        on records.record_key = profiles.record_key
    where
        records.purpose = 'marketing'
        or (records.status = 'withdrawn' and records.purpose is null)
)

select
    profile_id,
    {{ newest_consent('email') }} as email_consent,
    {{ newest_consent('sms') }} as sms_consent,
    {{ newest_consent('push') }} as push_consent
from counted
group by profile_id
