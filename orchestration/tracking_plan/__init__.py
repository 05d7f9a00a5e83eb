"""The tracking plan outside dbt: validated, shown, asked about a file, and releases recorded.

How an event is judged stands in `dbt_project/macros/tracking_plan.sql` alone; the judgement here is
that file rendered, never a second one. Nothing here imports Dagster or dbt.
"""
