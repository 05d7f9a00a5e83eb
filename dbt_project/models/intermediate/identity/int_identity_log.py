"""Who is who, and all that ever changed: the resolver of `orchestration/identity/`, run on a load.

Grain: one row per change. Only groups of identifiers that a new load touches are resolved again;
this model carries tables to and from the resolver.
"""


def model(dbt, session):  # type: ignore[no-untyped-def]  # dbt calls this with its own objects
    """Rows that replace those of the same identifier; see `log.py` for their columns."""
    from orchestration.identity.increment import Increment
    from orchestration.identity.rules import load_rules
    from orchestration.identity.secret import project_secret

    dbt.config(
        materialized="incremental",
        incremental_strategy="delete+insert",
        unique_key="identifier_key",
    )
    # Named to the resolver, which asks for no more rows of them than it needs.
    dbt.ref("int_identifiers")
    dbt.ref("int_identity_links")
    dbt.ref("int_device_sightings")
    dbt.ref("int_identity_overrides")
    schema = f'"{dbt.this.database}"."{dbt.this.schema}"'
    tables = {
        "identifiers": f"{schema}.int_identifiers",
        "edges": f"{schema}.int_identity_links",
        "sightings": f"{schema}.int_device_sightings",
        "overrides": f"{schema}.int_identity_overrides",
    }
    log = f"{schema}.int_identity_log" if dbt.is_incremental else None
    return Increment(session, tables, log, load_rules(), project_secret()).rows()
