"""Expectations that keep contact data out of what leaves the warehouse."""

from typing import Any

from expectations.custom.base import RowRule

PHONE = "(^|[^0-9A-Za-z])([+][1-9][0-9]{6,14}|raw:[0-9]{7,15})([^0-9]|$)"
"""As identity writes numbers; `1e+10` and `a+1234567` do not look so."""


class HoldsNoContactData(RowRule):
    """No column of the row holds an `@` or a telephone number, inside lists and JSON too.

    Looks at the row as a whole, so that a column added later is covered. A number is known by its
    normal form, E.164 or `raw:` and digits; digits alone may be the key of anything.
    """

    @classmethod
    def breaks(cls, values: dict[str, Any]) -> str:
        """Rows with an `@` or a number anywhere."""
        row = "cast(checked as varchar)"
        return f"contains({row}, '@') or regexp_matches({row}, '{PHONE}')"
