"""Campaigns: what SQL does badly: definitions, content, simulation. No Dagster and no dbt here."""
