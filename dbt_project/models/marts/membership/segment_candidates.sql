-- Grain: one row per row that a segment's SQL returned, good or bad.
{{ collect_segments() }}
