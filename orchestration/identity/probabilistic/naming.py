"""Which contact somebody means by any of its identifiers; contacts go by their strongest one."""

from typing import TYPE_CHECKING

from orchestration.identity.explain.spelling import spellings

if TYPE_CHECKING:
    import duckdb


def contact_named(connection: "duckdb.DuckDBPyConnection", text: str, country: str = "") -> str:
    """The strongest identifier of the contact, as `int_contacts_to_link` has it.

    Args:
        connection: a warehouse.
        text: `type:value`, or a bare value of any type.
        country: of telephone numbers without one.

    Raises:
        LookupError: no contact has it, or several have.
    """
    rows = connection.execute(
        """with asked as (select unnest($1::varchar[]) as identifier),
        carried as (
            select identifier, identifier as hub from asked
            union
            select identifier, identifier_a from asked
            inner join intermediate.int_identity_edges on identifier = identifier_b
            where source = 'crm_contacts'
            union
            select identifier, identifier_b from asked
            inner join intermediate.int_identity_edges on identifier = identifier_a
            where source = 'crm_contacts'
        )
        select distinct hub, carried.identifier = hub as is_itself
        from carried
        where hub in (select identifier from intermediate.int_contacts_to_link)
        order by is_itself desc, hub""",
        [spellings(text, country)],
    ).fetchall()
    if not rows:
        raise LookupError(f"no contact has the identifier {text}")
    if len(rows) > 1 and not rows[0][1]:
        several = ", ".join(hub for hub, _ in rows)
        raise LookupError(f"{text} is of several contacts, name one of them: {several}")
    return str(rows[0][0])
