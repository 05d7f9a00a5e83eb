"""Plain Python between the outside world and Muster's files: sources in, destinations out.

Nothing here imports Dagster or dbt, so that a connector can be read, run and tested by itself.
"""
