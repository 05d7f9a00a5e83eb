"""Great Expectations at each stage's border: formats, distributions, volumes and payload shape.

Belongs here: what a table's content must look like, said once per table, with an owner and a
severity. Does not belong here: keys, relationships and arithmetic (dbt tests), logic (dbt unit
tests). Nothing here imports Dagster or dbt.
"""
