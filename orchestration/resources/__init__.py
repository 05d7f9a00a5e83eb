"""What assets need and do not make themselves: settings, the dbt runner, the build of a run."""
