"""Every trigger (`triggers.trg_*`): real profiles, a key, a payload, a window that can be."""

from expectations.spec import Suite
from expectations.suites.common import candidate


def trigger_suite(table: str) -> Suite:
    """The suite of the trigger `table`, named `schema.table`."""
    return Suite(stage="segments", table=table, owner="growth", rules=candidate())
