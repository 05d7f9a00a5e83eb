"""A process of readers, each a thread of one kind, who read until a file called `stop` appears.

`python -m tests.snapshot_reader PUBLISHED URL REPORT`. In both tables every row holds the number of
the snapshot. A read is wrong if it sees two numbers, none, or an older one than the read before.
"""

import json
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import psycopg

Numbers = set[int]
_PAUSE = 0.1  # seconds, for want of twenty processors


def _newest(published: Path) -> Path:
    return max(published.glob("snapshots/[0-9]*/manifest.json")).parent


def current(published: Path, _: str) -> Numbers:
    with duckdb.connect(str(published / "current.duckdb"), read_only=True) as connection:
        small = connection.sql("select distinct number from small").fetchall()
        large = connection.sql("select distinct number from large").fetchall()
        said = connection.sql("select snapshot_id::int from snapshot").fetchall()
    return {row[0] for row in [*small, *large, *said]}


def files(published: Path, _: str) -> Numbers:
    folder = _newest(published)
    query = " union ".join(
        f"select number from read_parquet('{folder}/{name}.parquet')" for name in ("small", "large")
    )
    with duckdb.connect() as connection:
        return {row[0] for row in connection.sql(query).fetchall()}


def pandas(published: Path, _: str) -> Numbers:
    folder = _newest(published)
    tables = [pd.read_parquet(folder / f"{name}.parquet") for name in ("small", "large")]
    return {int(one) for table in tables for one in table["number"].unique()}


def polars(published: Path, _: str) -> Numbers:
    folder = _newest(published)
    tables = [pl.read_parquet(folder / f"{name}.parquet") for name in ("small", "large")]
    return {int(one) for table in tables for one in table["number"].unique()}


def postgres(_: Path, url: str) -> Numbers:
    """One statement over both tables, then a transaction of several."""
    with psycopg.connect(url) as connection:
        connection.execute("set lock_timeout = '2s'")
        rows = connection.execute(
            "select number from muster.small union select number from muster.large"
        ).fetchall()
        first = {row[0] for row in rows}
        connection.commit()
        connection.execute("set transaction isolation level repeatable read")
        second: Numbers = set()
        for name in ("small", "large"):
            query = f"select distinct number from muster.{name}"
            second |= {row[0] for row in connection.execute(query).fetchall()}  # type: ignore[call-overload]
    assert len(first) == 1 and len(second) == 1, (first, second)
    return second


KINDS: dict[str, Callable[[Path, str], Numbers]] = {
    "current": current,
    "files": files,
    "pandas": pandas,
    "polars": polars,
    "postgres": postgres,
}


def _loop(kind: str, published: Path, url: str, report: dict[str, list[object]]) -> None:
    """[reads, snapshots seen, errors]"""
    last, seen, reads = 0, set(), 0
    errors: list[str] = []
    while not (published / "stop").exists():
        try:
            numbers = KINDS[kind](published, url)
            (number,) = numbers
            assert number >= last, f"{number} after {last}"
            last = number
            seen.add(number)
            reads += 1
        except Exception:
            errors.append(traceback.format_exc(limit=2))
        time.sleep(_PAUSE)
        if reads + len(errors) == 1:
            report[kind] = []  # ready
    report[kind] = [reads, sorted(seen), errors]


def main(published: Path, url: str, target: Path) -> None:
    report: dict[str, list[object]] = {}
    threads = [
        threading.Thread(target=_loop, args=(kind, published, url, report)) for kind in KINDS
    ]
    for thread in threads:
        thread.start()
    while len(report) < len(KINDS):
        threading.Event().wait(0.05)
    target.with_suffix(".ready").touch()
    for thread in threads:
        thread.join()
    target.write_text(json.dumps(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
