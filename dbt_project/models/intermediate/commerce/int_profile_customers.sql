-- Grain: one row per profile with an order or a cancellation: what it ordered, and its RFM scores.
select
    orders.*,
    rfm.recency_days,
    rfm.recency_score,
    rfm.frequency_score,
    rfm.monetary_score,
    rfm.rfm_group
from {{ ref('int_profile_orders') }} as orders
left join {{ ref('int_profile_rfm') }} as rfm
    on orders.profile_id = rfm.profile_id
