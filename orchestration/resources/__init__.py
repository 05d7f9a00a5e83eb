"""What assets need and do not make themselves: settings, the dbt runner, the moment of a run."""
