"""Expectations that keep contact data out of what leaves the warehouse."""

from typing import Any

from expectations.custom.base import RowRule


class HoldsNoContactData(RowRule):
    """No column of the row holds an `@`, inside lists and JSON too.

    Looks at the row as a whole, so that a column added later is covered.
    """

    @classmethod
    def breaks(cls, values: dict[str, Any]) -> str:
        """Rows with an `@` anywhere."""
        return "contains(cast(checked as varchar), '@')"
