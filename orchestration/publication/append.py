"""One more file for a table of the ledger, put in place by rename; none is ever changed."""

from dataclasses import dataclass
from pathlib import Path

import duckdb


@dataclass(frozen=True)
class Record:
    """The number of a build in the ledger, from 1, and its as_of (`2026-11-01 00:00:00`, UTC)."""

    number: int
    recorded_at: str


def last_record(folder: Path) -> Record:
    """The newest build that left something in a table; number 0 if none did."""
    if not any(folder.glob("*.parquet")):
        return Record(0, "")
    row = duckdb.sql(
        f"select max(number), max(recorded_at)::varchar from read_parquet('{folder}/*.parquet')"
    ).fetchone()
    return Record(int(row[0]), str(row[1])) if row else Record(0, "")


def recorded_until(ledger: Path) -> str:
    """The as_of of the newest published build, also of one that changed nothing; empty if none."""
    path = _until(ledger)
    return path.read_text() if path.exists() else ""


def set_recorded_until(ledger: Path, moment: str) -> None:
    """Note that a build of this moment is published."""
    ledger.mkdir(parents=True, exist_ok=True)
    beside = _until(ledger).with_suffix(".new")
    beside.write_text(moment)
    beside.replace(_until(ledger))


def _until(ledger: Path) -> Path:
    return ledger / "segments_recorded_until"


def append(
    connection: duckdb.DuckDBPyConnection, folder: Path, number: int, moment: str, query: str
) -> int:
    """Write the rows of a query as the next file, sorted; how many. None make no file.

    Args:
        connection: to what the query reads.
        folder: of the table.
        number: of the build.
        moment: its as_of (`2026-11-01 00:00:00`, UTC).
        query: the rows, without number and recorded_at.
    """
    found = connection.execute(f"select count(*) from ({query})").fetchone()
    if not found or not found[0]:
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{number:08d}.parquet"
    temporary = path.with_suffix(".new")
    connection.execute(
        f"""copy (
            select {number}::bigint as number, timestamp '{moment}' as recorded_at, *
            from ({query}) order by all
        ) to '{temporary}' (format parquet)"""
    )
    temporary.replace(path)
    return int(found[0])
