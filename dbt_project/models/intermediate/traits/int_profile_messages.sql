-- Grain: one row per profile with e-mails or tickets: engagement, in all and by window.
select
    profile_id,
    {% for days in windows() %}
        {{ count_in_window('email_sent_count', days) }} as email_sent_count_{{ days }}d,
        {{ count_in_window('email_open_count', days) }} as email_open_count_{{ days }}d,
        {{ count_in_window('email_click_count', days) }} as email_click_count_{{ days }}d,
        {{ count_in_window('ticket_count', days) }} as ticket_count_{{ days }}d,
    {% endfor %}
    {{ share_of(
        count_in_window('email_open_count', 90), count_in_window('email_sent_count', 90)
    ) }} as email_open_rate_90d,
    cast(sum(ticket_count) as bigint) as ticket_count,
    max(last_email_engaged_at) as last_email_engaged_at,
    max(email_unsubscribed_at) as email_unsubscribed_at,
    max(email_bounced_at) as email_bounced_at
from {{ ref('int_profile_message_days') }}
group by profile_id
