"""Who is who: pure functions from identifiers, edges and rules to profiles. No Dagster, no dbt."""
