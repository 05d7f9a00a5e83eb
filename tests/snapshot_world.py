"""A warehouse whose published tables are set by hand, published by the real code."""

from pathlib import Path

import duckdb

from orchestration.publication.builds import BuildRecord
from orchestration.publication.contract import Contract
from orchestration.publication.snapshot import Manifest, publish

MEMBERS = Contract("segment_memberships", "segment_memberships", key=("segment", "profile_id"))
CONTACTS = Contract("contacts", "contacts", key=("profile_id",), is_private=True)


class SnapshotWorld:
    """Tables of SQL in a folder of their own."""

    def __init__(self, folder: Path, *tables: Contract) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.warehouse = folder / "warehouse.duckdb"
        self.published = folder / "published"
        self.tables = list(tables) or [MEMBERS]

    def publish(self, *queries: str) -> Manifest:
        """One query for each table, in their order."""
        with duckdb.connect(str(self.warehouse)) as connection:
            connection.execute("create schema if not exists published")
            for table, query in zip(self.tables, queries, strict=True):
                connection.execute(f"create or replace table published.{table.name} as {query}")
        record = BuildRecord("2026-01-01T00:00:00Z", ())
        return publish(self.warehouse, self.published, self.tables, record, {})


def members(*rows: tuple[str, str], score: int = 0) -> str:
    """The query of segment_memberships with these (segment, profile)."""
    values = ", ".join(f"('{segment}', '{profile}', {score})" for segment, profile in rows)
    return f"select * from (values {values}) as rows (segment, profile_id, score)"
