"""Expectations on where a landed row came from."""

from typing import Any

from expectations.custom.base import RowRule


class HasProvenance(RowRule):
    """A row says which file, row and load it came from, and when."""

    @classmethod
    def breaks(cls, values: dict[str, Any]) -> str:
        """Rows that lack any of the four."""
        return (
            "_source_file is null or _row_number is null or _landed_at is null or _load_id is null"
        )


class LandedOnce(RowRule):
    """A row of a file is landed once per load; twice means that a load was written twice."""

    @classmethod
    def query(cls, values: dict[str, Any]) -> str:
        """Rows beyond the first with the same content, by hash: whole rows would not fit memory."""
        return (
            "select count(*) - count(distinct hash(checked)) as found, count(*) as total "
            "from (select * from {batch}) as checked"
        )
