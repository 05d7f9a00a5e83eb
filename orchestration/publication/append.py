"""One more file for a table of the ledger, put in place by rename; none is ever changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb


@dataclass(frozen=True)
class Record:
    """The number of a build in the ledger, from 1, and its as_of (`2026-11-01 00:00:00`, UTC)."""

    number: int
    recorded_at: str


def begin_record(ledger: Path, folders: Sequence[Path], as_of: str) -> Record | None:
    """The record that a published build makes in some tables of the ledger.

    A build that looks back, to before the newest published one, leaves no trace: None.

    Args:
        ledger: the ledger's folder.
        folders: of the tables; they count their builds together.
        as_of: the build's moment, such as `2026-11-01T00:00:00Z`.
    """
    marks = [last_record(folder) for folder in folders]
    moment = as_of.replace("T", " ").removesuffix("Z")
    # A build that changed nothing has no record, and yet later ones must not come before it.
    until = ledger / "segments_recorded_until"
    newest = until.read_text() if until.exists() else ""
    if moment < max(newest, *(mark.recorded_at for mark in marks)):
        return None
    ledger.mkdir(parents=True, exist_ok=True)
    beside = until.with_suffix(".new")
    beside.write_text(moment)
    beside.replace(until)
    return Record(max(mark.number for mark in marks) + 1, moment)


def last_record(folder: Path) -> Record:
    """The newest build that left something in a table; number 0 if none did."""
    if not any(folder.glob("*.parquet")):
        return Record(0, "")
    row = duckdb.sql(
        f"select max(number), max(recorded_at)::varchar from read_parquet('{folder}/*.parquet')"
    ).fetchone()
    return Record(int(row[0]), str(row[1])) if row else Record(0, "")


def append(connection: duckdb.DuckDBPyConnection, folder: Path, record: Record, query: str) -> int:
    """Write the rows of a query as the next file, sorted; how many. None make no file.

    Args:
        connection: to what the query reads.
        folder: of the table.
        record: of the build.
        query: the rows, without number and recorded_at.
    """
    found = connection.execute(f"select count(*) from ({query})").fetchone()
    if not found or not found[0]:
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{record.number:08d}.parquet"
    temporary = path.with_suffix(".new")
    connection.execute(
        f"""copy (
            select {record.number}::bigint as number,
                timestamp '{record.recorded_at}' as recorded_at, *
            from ({query}) order by all
        ) to '{temporary}' (format parquet)"""
    )
    temporary.replace(path)
    return int(found[0])


def append_rows(
    folder: Path, rows: Sequence[Mapping[str, Any]], now: datetime | None = None
) -> None:
    """Write rows that are no build's, such as what somebody said, as the next file. None make none.

    Args:
        folder: of the table.
        rows: alike, without number and recorded_at.
        now: the clock, UTC; left out, it is read.
    """
    import pyarrow as pa

    if not rows:
        return
    at = f"{now or datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
    with duckdb.connect() as connection:
        connection.register("said", pa.Table.from_pylist([dict(row) for row in rows]))
        append(connection, folder, Record(last_record(folder).number + 1, at), "from said")
