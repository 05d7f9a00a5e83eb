"""Rows a second of each destination, beside the bare client that it is built on, in one run.

Servers share the machine with us. `-s` prints the rates that the rounds are made of.
"""

import io
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from orchestration.connectors.destinations.base import Batch
from orchestration.connectors.destinations.registry import destination
from tests.destination_worlds import FEED, KEY, WORLDS
from tests.http_receiver import receiver

LATENCY_SECONDS = 0.02


def rows(count: int, action: str = "enter", first: int = 1) -> pa.Table:
    numbers = range(first, first + count)
    moment = datetime.fromisoformat("2026-11-01")
    return pa.table(
        {
            "sequence": pa.array(numbers, pa.int64()),
            "action": [action] * count,
            "segment": ["vip"] * count,
            "profile_id": [f"profile-{n - first}" for n in numbers],
            "name": [f"Person {n}" for n in numbers],
            "spend": [n * 0.5 for n in numbers],
            "seen_at": pa.array([moment] * count, pa.timestamp("us")),
            "as_of": ["2026-11-01T00:00:00Z"] * count,
            "snapshot_id": ["s1"] * count,
            "idempotency_key": [f"{FEED}-{n}" for n in numbers],
        }
    )


def deliver(entry: dict[str, Any], tables: list[pa.Table]) -> None:
    """All rows, in batches of the kind's own size; prints the rate of each table."""
    kind = destination(entry, "here")
    session = kind.open(FEED, tables[0].column_names, KEY)
    for number, table in enumerate(tables, 1):
        began = time.perf_counter()
        for at in range(0, table.num_rows, kind.batch_rows):
            part = table.slice(at, kind.batch_rows)
            batch = Batch(FEED, f"e{number}", 1 + at // kind.batch_rows, part, KEY)
            assert list(session.deliver(batch)) == []
        rate = table.num_rows / (time.perf_counter() - began)
        print(f"\n{entry['type']}: {table['action'][0]} {rate:,.0f} rows/s")
    session.close()


def three(count: int) -> list[pa.Table]:
    """Everybody enters, changes and leaves."""
    actions = ("enter", "update", "exit")
    return [rows(count, action, 1 + n * count) for n, action in enumerate(actions)]


def _once(benchmark: Any, work: Callable[[], object]) -> None:
    benchmark.pedantic(work, rounds=1)


@pytest.fixture(params=["postgres", "redis", "kafka", "kafka-idempotent"])
def entry(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    with WORLDS[request.param]() as world:
        yield world.entry


def test_servers(entry: dict[str, Any], benchmark) -> None:  # type: ignore[no-untyped-def]
    # The mock of Kafka keeps 5 MB of a partition and drops the rest while we write.
    tables = three(100_000 if entry["type"] != "kafka" else 20_000)
    _once(benchmark, lambda: deliver(entry, tables))


def test_bare_copy_into_postgres(benchmark) -> None:  # type: ignore[no-untyped-def]
    """What a COPY of the same rows takes, without keys, conflicts or a memory."""
    import psycopg
    from pyarrow import csv

    with WORLDS["postgres"]() as world, psycopg.connect(world.entry["url"]) as connection:
        table = rows(100_000)
        names = ", ".join(f"{name} text" for name in table.column_names)
        connection.execute(f"create table bare ({names})")  # type: ignore[call-overload]

        def copy() -> None:
            buffer = io.BytesIO()
            csv.write_csv(table, buffer, csv.WriteOptions(include_header=False))
            with connection.cursor().copy("copy bare from stdin (format csv)") as stream:
                stream.write(buffer.getbuffer())
            connection.commit()

        _once(benchmark, copy)


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_files(form: str, tmp_path: Path, benchmark) -> None:  # type: ignore[no-untyped-def]
    entry = {"type": "files", "folder": str(tmp_path), "formats": [form]}
    tables = [rows(1_000_000)]
    _once(benchmark, lambda: deliver(entry, tables))


@pytest.mark.parametrize("form", ["json", "parquet"])
def test_bare_files(form: str, tmp_path: Path, benchmark) -> None:  # type: ignore[no-untyped-def]
    with duckdb.connect() as connection:
        connection.register("bare", rows(1_000_000))
        statement = f"copy bare to '{tmp_path}/bare' (format {form})"
        _once(benchmark, lambda: connection.execute(statement))


def test_webhook(benchmark) -> None:  # type: ignore[no-untyped-def]
    """A server that takes 20 ms to answer, in batches of 100: 5,000 rows/s at the very most."""
    with receiver() as server:
        server.latency = LATENCY_SECONDS
        entry = {"type": "webhook", "url": server.url, "secret": "secret", "errors": "errors"}
        _once(benchmark, lambda: deliver(entry, [rows(20_000)]))
