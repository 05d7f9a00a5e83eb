"""The asset graph, from inbox to feed. Thin: each asset calls plain Python or dbt and reports."""
