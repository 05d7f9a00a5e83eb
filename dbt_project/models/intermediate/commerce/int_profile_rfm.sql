-- Grain: one row per profile with an order that is not cancelled: its RFM scores and group.
-- A score is 1 + floor(5 * customers with a worse value / customers), so equal values have equal
-- scores whatever the order of rows.
with customers as (
    select
        profile_id,
        {{ whole_days_between('last_order_at', as_of()) }} as recency_days,
        order_count,
        lifetime_value
    from {{ ref('int_profile_orders') }}
    where order_count > 0
),

scored as (
    select
        profile_id,
        recency_days,
        {{ quintile('recency_days desc') }} as recency_score,
        {{ quintile('order_count') }} as frequency_score,
        {{ quintile('lifetime_value') }} as monetary_score
    from customers
)

select
    *,
    case
        when recency_score >= 4 and frequency_score >= 4 and monetary_score >= 4 then 'champions'
        when recency_score >= 3 and frequency_score >= 4 then 'loyal'
        when recency_score >= 3 and monetary_score >= 4 then 'big_spenders'
        when recency_score = 5 then 'recent'
        when recency_score >= 3 then 'promising'
        when frequency_score >= 4 or monetary_score >= 4 then 'at_risk'
        when recency_score = 2 then 'fading'
        else 'hibernating'
    end as rfm_group
from scored
