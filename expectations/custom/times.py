"""Expectations on the order of moments. All stored times are UTC."""

from typing import Any

from expectations.custom.base import RowRule, named


class NotBefore(RowRule):
    """`column` is not before `earlier`; rows that lack either are not looked at."""

    column: str
    earlier: str

    @classmethod
    def breaks(cls, values: dict[str, Any]) -> str:
        """Ends before starts."""
        return f"{named(values['column'])} < {named(values['earlier'])}"


class NotAfterAsOf(RowRule):
    """A moment is not after the moment the run evaluated the world at."""

    column: str

    @classmethod
    def breaks(cls, values: dict[str, Any]) -> str:
        """What the run cannot have known."""
        return f"{named(values['column'])} > as_of"


class NotAfterLanding(RowRule):
    """Nothing happens after it was landed, but for clocks: they may be a day off."""

    column: str

    @classmethod
    def breaks(cls, values: dict[str, Any]) -> str:
        """Times in the future of their own load."""
        return f"{named(values['column'])} > cast(_landed_at as timestamp) + interval 1 day"
