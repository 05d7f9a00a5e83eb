-- Grain: one row per profile: who it is, may be written to, answers, and is interested in.
{% set first = in_order(['-points', 'name']) -%}
with interests as (
    select
        profile_id,
        {{ of_least('name', first) }} filter (where kind = 'category') as top_category,
        {{ of_least('points_share', first) }} filter (where kind = 'category')
            as top_category_share,
        {{ of_least('name', first) }} filter (where kind = 'brand') as top_brand,
        {{ of_least('points_share', first) }} filter (where kind = 'brand') as top_brand_share
    from {{ ref('int_profile_affinities') }}
    where points > 0
    group by profile_id
)

select
    details.profile_id,
    details.first_seen_at,
    details.last_seen_at,
    details.identifier_count,
    details.country,
    details.timezone,
    details.local_timezone,
    details.loyalty_tier,
    -- Whether any consent record is known is one more detail.
    cast(floor(
        100 * (
            details.known_detail_count + case when consents.profile_id is null then 0 else 1 end
        ) / (details.wanted_detail_count + 1)
    ) as bigint) as data_quality_score,
    coalesce(consents.email_consent, 'unknown') as email_consent,
    coalesce(consents.sms_consent, 'unknown') as sms_consent,
    coalesce(consents.push_consent, 'unknown') as push_consent,
    {% for days in windows() %}
        messages.email_sent_count_{{ days }}d,
        messages.email_open_count_{{ days }}d,
        messages.email_click_count_{{ days }}d,
        messages.ticket_count_{{ days }}d,
    {% endfor %}
    messages.email_open_rate_90d,
    messages.ticket_count,
    messages.last_email_engaged_at,
    messages.email_unsubscribed_at,
    messages.email_bounced_at,
    interests.top_category,
    interests.top_category_share,
    interests.top_brand,
    interests.top_brand_share
from {{ ref('int_profile_details') }} as details
left join {{ ref('int_profile_consents') }} as consents
    on details.profile_id = consents.profile_id
left join {{ ref('int_profile_messages') }} as messages
    on details.profile_id = messages.profile_id
left join interests
    on details.profile_id = interests.profile_id
