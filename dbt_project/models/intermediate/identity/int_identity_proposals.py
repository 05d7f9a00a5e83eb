"""Contacts that share no identifier and are likely one person: Splink's proposals, if enabled.

Grain: one row per pair of identifiers. What is compared, and from which weight on a pair is linked,
stands in `identity_rules.yml`; the reasoning is in `orchestration/identity/probabilistic/`.
"""


def model(dbt, session):  # type: ignore[no-untyped-def]  # dbt calls this with its own objects
    """Identifier pairs with weight, probability, landing time, and whether they are accepted."""
    from orchestration.identity.probabilistic.contacts import with_components
    from orchestration.identity.probabilistic.proposals import propose
    from orchestration.identity.rules import load_rules

    dbt.config(materialized="table")
    contacts = dbt.ref("int_contacts_to_link")
    identifiers = dbt.ref("int_identifiers")
    edges = dbt.ref("int_identity_edges")
    rules = load_rules()
    if not rules.probabilistic.enabled:
        return propose(contacts.limit(0).to_arrow_table(), rules.probabilistic)
    given = (table.to_arrow_table() for table in (contacts, identifiers, edges))
    return propose(with_components(*given, rules), rules.probabilistic)
