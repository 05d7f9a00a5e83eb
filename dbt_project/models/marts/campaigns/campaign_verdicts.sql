-- Grain: one row per decision of this run that got past the gates that only look at itself: the
-- first of the others that fails, none if it is sent. A recipient's are settled one after the
-- other, each knowing what those before it took.
with recursive contenders as (
    select
        *,
        'message:' || campaign || ':' || step as message,
        'occurrence:' || campaign || ':' || profile_id || ':' || occurrence_key as occurrence
    from {{ ref('campaign_queue') }}
    where {{ is_contender('refused_by') }}
),

settled as (
    select
        recipient_id,
        cast(0 as bigint) as place,
        cast(null as varchar) as decision_id,
        cast(null as varchar) as verdict,
        cast([] as varchar[]) as taken
    from contenders
    where place = 1
    union all
    select
        recipient_id,
        place,
        decision_id,
        verdict,
        taken
        || case
            when verdict is null
                then scopes || [message, message || ':' || profile_id, occurrence]
            else []
        end
        -- Who is entitled has its group, also if held out, capped or waiting: the next of the group
        -- is for those whom this one does not mean.
        || case
            when group_name is null or verdict in ('duplicate', 'cooldown') then []
            else ['group:' || group_name]
        end as taken
    from (
        select
            contenders.*,
            settled.taken,
            case
                when
                    list_contains(settled.taken, contenders.message)
                    and not list_contains(
                        settled.taken, contenders.message || ':' || contenders.profile_id
                    )
                    then 'duplicate'
                when contenders.refused_by = 'cooldown' then 'cooldown'
                when
                    contenders.has_cooldown
                    and list_contains(settled.taken, 'campaign:' || contenders.campaign)
                    and not list_contains(settled.taken, contenders.occurrence)
                    then 'cooldown'
                when contenders.refused_by = 'holdout' then 'holdout'
                when
                    len(list_filter(
                        contenders.caps,
                        cap -> cap.used
                        + len(list_filter(settled.taken, mark -> mark = cap.scope)) >= cap.most
                    )) > 0
                    then 'frequency_cap'
                when contenders.refused_by = 'outranked' then 'outranked'
                when
                    list_contains(settled.taken, 'group:' || contenders.group_name)
                    or list_contains(settled.taken, 'channel:' || contenders.channel)
                    then 'outranked'
                when contenders.hold_until is null then null
                when contenders.hold_until = contenders.scheduled_at then 'scheduled'
                else 'quiet_hours'
            end as verdict
        from settled
        inner join contenders
            on
                settled.recipient_id = contenders.recipient_id
                and settled.place + 1 = contenders.place
    ) as judged
)

select
    decision_id,
    verdict
from settled
where place > 0
