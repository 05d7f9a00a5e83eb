-- Grain: one row per file of campaigns/. `fault` says why one is no campaign.
{{ campaign_rows() }}
