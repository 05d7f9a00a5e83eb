-- Grain: one row per event name of tracking_plan.yml.
{{ tracking_plan_rows() }}
