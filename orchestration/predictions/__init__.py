"""Models that learn from profiles' features: trained, compared, kept, and scored with.

No Dagster and no dbt here: `assets/models.py` runs this on schedule, `dbt_project/` gives the
features and reads the scores.
"""
