-- Grain: one row per campaign and profile that came into question in this run: in which variant it
-- is, and whether it is held out. Both hang on the names alone, so they never change for who stays
-- within a variant's share.
with everybody as (
    select distinct
        campaign,
        profile_id,
        variants,
        holdout_share,
        {{ unit_number("campaign || ':variant:' || profile_id") }} as variant_number,
        {{ unit_number("campaign || ':holdout:' || profile_id") }} as holdout_number
    from {{ ref('campaign_contexts') }}
    where not is_removed
)

select
    campaign,
    profile_id,
    list_filter(
        variants,
        one -> variant_number >= one.from_share and variant_number < one.to_share
    )[1].variant as variant,
    holdout_number < holdout_share as is_holdout,
    variant_number,
    holdout_number
from everybody
