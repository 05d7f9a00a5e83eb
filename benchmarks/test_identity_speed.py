"""Identity: all resolved anew against reading and connected components alone; and one load on top.

MUSTER_BENCH_EDGES sets the size (default two million).
"""

import os
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.compute as pc
import pytest

from orchestration.identity.increment import GONE, Increment
from orchestration.identity.rules import load_rules
from tests.identity_evidence import write

EDGES = int(os.environ.get("MUSTER_BENCH_EDGES", "2000000"))
LOAD_EVENTS = 10_000
TABLES = {name: f"evidence.{name}" for name in ("identifiers", "edges", "sightings", "overrides")}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DuckDB file with the tables that the identity models make."""
    folder = tmp_path_factory.mktemp("identity")
    write(folder / "first", EDGES)
    path = folder / "warehouse.duckdb"
    with _open(path) as connection:
        connection.execute("create schema evidence")
        for name in ("identifiers", "edges", "sightings"):
            connection.execute(
                f"create table evidence.{name} as from '{folder}/first/{name}.parquet'"
            )
        connection.execute(
            """create table evidence.overrides (override_id varchar, action varchar, key_a ubigint,
            key_b ubigint, landed_at timestamptz)"""
        )
    return path


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(path), config={"threads": 2, "memory_limit": "1GB"})
    connection.execute("set timezone = 'UTC'")
    return connection


def _run(path: Path, log: str | None) -> int:
    """One run of the identity model, written as dbt writes it; how many rows it made."""
    with _open(path) as connection:
        rows = Increment(connection, TABLES, log, load_rules(), b"secret").rows()
        if log is None:
            connection.execute("create or replace table evidence.log as select * from rows")
        else:
            connection.execute("begin")
            connection.execute(
                f"delete from {log} where identifier_key in (select identifier_key from rows)"
            )
            connection.execute(f"insert into {log} select * from rows")
            connection.execute(f"delete from {log} where kind = '{GONE}'")
            connection.execute("commit")
        return int(rows.num_rows)


def test_reading_and_components_alone(warehouse: Path, benchmark) -> None:  # type: ignore[no-untyped-def]
    def components() -> None:
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        with _open(warehouse) as connection:
            identifiers = connection.execute("from evidence.identifiers").to_arrow_table()
            edges = connection.execute("from evidence.edges").to_arrow_table()
        known = identifiers["identifier_key"].combine_chunks()
        ends = [pc.index_in(edges[name], value_set=known).to_numpy() for name in ("key_a", "key_b")]
        ones = np.ones(len(edges), dtype=np.int32)
        graph = coo_array((ones, tuple(ends)), (len(known), len(known)))
        connected_components(graph, directed=False)

    benchmark.pedantic(components, rounds=3, warmup_rounds=1)


def test_reading_and_resolving(warehouse: Path, benchmark) -> None:  # type: ignore[no-untyped-def]
    """What the first may be compared with: the same reading, and the whole log made."""

    def resolve() -> None:
        with _open(warehouse) as connection:
            assert Increment(connection, TABLES, None, load_rules(), b"s").rows().num_rows > EDGES

    benchmark.pedantic(resolve, rounds=3, warmup_rounds=1)


def test_all_resolved_anew(warehouse: Path, benchmark) -> None:  # type: ignore[no-untyped-def]
    benchmark.pedantic(lambda: _run(warehouse, None), rounds=3, warmup_rounds=1)


def test_a_load_on_top(warehouse: Path, benchmark) -> None:  # type: ignore[no-untyped-def]
    """Ten thousand events of people who are known, on devices that are not."""
    _run(warehouse, None)
    hours = iter(range(1000, 2000))

    def load() -> tuple[tuple[()], dict[str, object]]:
        hour = next(hours)
        with _open(warehouse) as connection:
            connection.execute(
                f"""create or replace temp table loaded as
                select identifier_key as key_a, md5_number_lower(device) as key_b, device,
                    timestamptz '2026-01-01' + to_hours({hour}) as landed_at,
                    timestamp '2026-02-01' as occurred_at
                from (
                    select identifier_key, 'anonymous_id:new-{hour}-' || row_number() over ()
                        as device
                    from evidence.identifiers where identifier_type = 'customer_id'
                    using sample {LOAD_EVENTS} rows
                )"""
            )
            connection.execute(
                """insert into evidence.identifiers
                select key_b, 'anonymous_id', device, landed_at, occurred_at from loaded"""
            )
            connection.execute(
                """insert into evidence.edges
                select key_a, key_b, 'web_events', landed_at, occurred_at from loaded"""
            )
        return (), {}

    def resolve() -> None:
        assert _run(warehouse, "evidence.log") < EDGES / 4

    benchmark.pedantic(resolve, setup=load, rounds=5, warmup_rounds=1)
