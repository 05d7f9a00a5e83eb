"""A snapshot of a million profiles against a bare COPY of the same tables by the same engine.

The snapshot also sums each file and the rows of each table; the copy does neither. Both are done
in turn, so that a noisy machine changes both, and the best of each counts.
"""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from orchestration.publication.builds import BuildRecord
from orchestration.publication.contract import read_contracts
from orchestration.publication.snapshot import publish
from orchestration.resources.settings import PUBLISHED_MODELS

PROFILES = int(os.environ.get("MUSTER_BENCH_PROFILES", "1000000"))
ROUNDS = int(os.environ.get("MUSTER_BENCH_ROUNDS", "3"))
LIMIT = 1.5
# Rows of each table for one profile, about as in the sample.
_ROWS = {
    "profiles": 1.0,
    "profile_contact_points": 3.0,
    "identity_map": 3.0,
    "segment_memberships": 3.0,
    "segment_membership_history": 4.0,
    "trigger_candidates": 0.5,
    "campaign_decisions": 1.0,
    "experiment_assignments": 1.0,
}
_VALUES = {
    "bigint": "cast(hash(range, {n}) % 50 as bigint)",
    "boolean": "hash(range, {n}) % 2 = 0",
    "timestamp": "timestamp '2026-01-01' + interval (hash(range, {n}) % 20000000) second",
    "varchar": "'value ' || hash(range, {n}) % 20",
    "varchar[]": "['e' || hash(range, {n}), 'e' || range]",
}
# As in real tables: opaque ids, in no order.
_COLUMNS = {
    "profile_id": "'p_' || left(md5((range % {profiles})::varchar), 20)",
    "identifier_hash": "sha256(range::varchar)",
    "decision_id": "md5(range::varchar)",
    "contact_point": "'person' || range || '@example.org'",
    "occurrence_key": "'cart-' || range",
    "segment": "'segment_' || range // {profiles}",
    "stay": "cast(1 + range // {profiles} as bigint)",
    "payload": """'{{"cart_id": "cart-' || range || '", "value": ' || hash(range) % 500 || '}}'""",
    "valid_from": "timestamp '2026-01-01' + interval (range % 20000000) second",
}


def _value(name: str, type_name: str, number: int) -> str:
    if name in _COLUMNS:
        return _COLUMNS[name].format(profiles=PROFILES)
    if type_name.startswith("decimal"):
        return f"cast(hash(range, {number}) % 10000 / 100 as {type_name})"
    return _VALUES[type_name].format(n=number)


def _make(warehouse: Path) -> None:
    contracts = read_contracts(PUBLISHED_MODELS)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema published")
        for table, share in _ROWS.items():
            columns = ", ".join(
                f"{_value(name, type_name, number)} as {name}"
                for number, (name, type_name) in enumerate(contracts[table].types.items())
            )
            connection.execute(
                f"create table published.{table} as select {columns} "
                f"from range({int(PROFILES * share)})"
            )


def _copy(warehouse: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for table in _ROWS:
            connection.execute(
                f"copy published.{table} to '{folder}/{table}.parquet' (format parquet)"
            )


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def test_a_snapshot_costs_little_more_than_a_copy(tmp_path: Path) -> None:
    warehouse, published = tmp_path / "warehouse.duckdb", tmp_path / "published"
    _make(warehouse)
    contracts = read_contracts(PUBLISHED_MODELS)
    tables = [contracts[name] for name in _ROWS]
    record = BuildRecord("2026-01-01T00:00:00Z", ())

    def snapshot() -> None:
        shutil.rmtree(published, ignore_errors=True)
        publish(warehouse, published, tables, record, {})

    copies, snapshots = [], []
    for _ in range(ROUNDS):
        copies.append(_seconds(lambda: _copy(warehouse, tmp_path / "bare")))
        snapshots.append(_seconds(snapshot))
    ratio = min(snapshots) / min(copies)
    size = sum(path.stat().st_size for path in (published / "snapshots/000001").iterdir())
    bare = sum(path.stat().st_size for path in (tmp_path / "bare").iterdir())
    print(
        f"{PROFILES:,} profiles: snapshot {min(snapshots):.1f} s ({size / 1e6:,.0f} MB), "
        f"bare copy {min(copies):.1f} s ({bare / 1e6:,.0f} MB), ratio {ratio:.2f}"
    )
    assert ratio <= LIMIT
