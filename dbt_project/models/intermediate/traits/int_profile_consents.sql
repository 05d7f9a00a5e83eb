-- Grain: one row per profile of which a consent record is known: its state in each channel, which
-- is that of the newest change.
select
    profile_id,
    {{ newest_consent('email') }} as email_consent,
    {{ newest_consent('sms') }} as sms_consent,
    {{ newest_consent('push') }} as push_consent
from {{ ref('int_consent_changes') }}
group by profile_id
