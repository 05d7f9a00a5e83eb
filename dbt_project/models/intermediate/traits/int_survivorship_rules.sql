-- Grain: one row per trait and source that may give it, as identity_rules.yml says.
{{ survivorship_rows() }}
