"""Every trigger (`triggers.trg_*`): real profiles, a payload that parses, a window that can be."""

from expectations.spec import Suite, error
from expectations.suites.common import profile_id


def trigger_suite(table: str) -> Suite:
    """The suite of the trigger `table`, named `schema.table`."""
    return Suite(
        stage="segments",
        table=table,
        owner="growth",
        rules=(
            profile_id(),
            error("IsValidJson", "The payload parses as JSON.", column="payload"),
            error(
                "NotBefore",
                "Nothing may be acted on before it happened.",
                column="available_at",
                earlier="occurred_at",
            ),
            error(
                "NotBefore",
                "Nothing expires before it may be acted on.",
                column="expires_at",
                earlier="available_at",
            ),
        ),
    )
