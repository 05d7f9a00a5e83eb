"""dbt's models rendered without dbt, whose start takes seconds: for commands that must be quick."""
