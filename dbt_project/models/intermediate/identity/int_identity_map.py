"""Gives each identifier its profile: connected components of the edges that records make.

Grain: one row per identifier. The reasoning is in `orchestration/identity/`; this model only
carries tables to and from it.
"""


def model(dbt, session):  # type: ignore[no-untyped-def]  # dbt calls this with its own objects
    """Arrow table of identifier, profile_id."""
    from orchestration.identity.components import resolve
    from orchestration.identity.secret import project_secret

    dbt.config(materialized="table")
    identifiers = dbt.ref("int_identifiers").project(
        "identifier, first_landed_at, first_occurred_at"
    )
    edges = dbt.ref("int_identity_edges").project("identifier_a, identifier_b")
    return resolve(identifiers.to_arrow_table(), edges.to_arrow_table(), project_secret())
