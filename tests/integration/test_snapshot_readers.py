"""Readers of each kind; twenty in four processes, while thirty snapshots are published."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas
import polars
import psycopg
import pytest

from orchestration.publication.contract import Contract
from orchestration.publication.postgres import SyncError, sync
from orchestration.publication.retention import Retention
from orchestration.publication.snapshot import delete_expired, snapshot_ids
from orchestration.resources.settings import PROJECT_ROOT
from tests.postgres import execute, postgres
from tests.snapshot_reader import KINDS
from tests.snapshot_world import CONTACTS, MEMBERS, SnapshotWorld, members

PROCESSES, SNAPSHOTS = 4, 30
SMALL = Contract("small", "small", key=("id",))
LARGE = Contract("large", "large", key=("id",))
KEEP = Retention(count=3, grace=timedelta(seconds=5))


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres() as (url, _):
        yield url


def _publish(world: SnapshotWorld, number: int, url: str) -> None:
    world.publish(
        f"select range as id, {number} as number from range(10)",
        f"select range as id, {number} as number, 'x' || range as words from range(2000)",
    )
    delete_expired(world.published, KEEP)
    sync(world.published, url)


def test_readers_see_one_snapshot_and_no_lock_while_thirty_are_published(
    tmp_path: Path, database: str
) -> None:
    world = SnapshotWorld(tmp_path, SMALL, LARGE)
    _publish(world, 1, database)
    reports = [tmp_path / f"{number}.json" for number in range(PROCESSES)]
    module = [sys.executable, "-m", "tests.snapshot_reader", str(world.published), database]
    readers = [subprocess.Popen([*module, str(one)], cwd=PROJECT_ROOT) for one in reports]
    deadline = time.monotonic() + 60
    while not all(one.with_suffix(".ready").exists() for one in reports):
        assert time.monotonic() < deadline, "the readers did not begin"
        time.sleep(0.05)
    for number in range(2, SNAPSHOTS + 1):
        _publish(world, number, database)
        time.sleep(0.1)
    (world.published / "stop").touch()
    assert [reader.wait(30) for reader in readers] == [0] * PROCESSES
    for report in reports:
        for kind, (reads, seen, errors) in json.loads(report.read_text()).items():
            assert errors == [], f"{kind}: {errors[0]}"
            assert reads > len(seen) > SNAPSHOTS / 4, f"{kind} read too little: {reads}, {seen}"
    assert len(KINDS) * PROCESSES == 20
    assert len(snapshot_ids(world.published)) < SNAPSHOTS, "old ones were deleted meanwhile"


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    from pyspark.sql import SparkSession

    settings = {"spark.ui.enabled": "false", "spark.sql.session.timeZone": "UTC"}
    session = SparkSession.builder.master("local[1]").config(map=settings).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def test_what_the_docs_show_reads_a_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spark: Any
) -> None:
    """The code of docs/published.md as it stands there, and every type by each reader."""
    names = ("profiles", "segment_catalog", "segment_memberships")
    world = SnapshotWorld(tmp_path / "var", *(Contract(name, name) for name in names))
    world.publish(
        """select * from (values
            ('p1', 12.50::decimal(12, 2), 3::bigint, true, ['a', 'b'],
             timestamp '2026-10-25 01:30:00.123456', 0.25::double),
            ('p2', null, null, null, null, null, null)
        ) as rows (profile_id, value, orders, yes, categories, seen_at, score)""",
        "select 'lapsed' as segment, 1 as size",
        members(("lapsed", "p1")),
    )
    text = (PROJECT_ROOT / "docs" / "published.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {"spark": spark}
    exec(code, found)  # what a reader of the docs would do
    assert found["members"].to_dicts() == [
        {"segment": "lapsed", "profile_id": "p1", "score": 0}
    ]  # fmt: skip
    first, second = found["profiles"].orderBy("profile_id").collect()
    moment = datetime(2026, 10, 25, 1, 30, 0, 123456)  # noqa: DTZ001  # UTC, and says no zone
    assert tuple(first) == ("p1", Decimal("12.50"), 3, True, ["a", "b"], moment, 0.25)
    assert tuple(second) == ("p2", *[None] * 6)
    file = str(found["newest"].with_name("profiles.parquet"))
    for rows in (
        duckdb.sql(f"from '{file}' order by profile_id").fetchall(),
        polars.read_parquet(file).sort("profile_id").rows(),
    ):
        assert rows == [tuple(first), tuple(second)]
    frame = pandas.read_parquet(file).set_index("profile_id")
    assert frame.loc["p1", "seen_at"] == pandas.Timestamp(moment)
    assert list(frame.loc["p1", "categories"]) == ["a", "b"]
    assert frame.loc["p2"].isna().all()


def _rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()  # type: ignore[call-overload, no-any-return]


def test_a_sync_brings_every_type_and_takes_away_what_is_gone(
    tmp_path: Path, database: str
) -> None:
    world = SnapshotWorld(tmp_path, Contract("things", "things", key=("id",)), CONTACTS)
    contacts = "select 'p1' as profile_id, 'ann@firm.org' as contact_point"
    world.publish(
        """select 1::bigint as id, 'a "b", \\N' || chr(10) || 'c' as words, '' as empty,
        null::varchar as missing, '\\N' as mark, 1.25::decimal(9, 4) as amount, 0.1::double as part,
        true as yes, timestamp '2026-01-01 12:00:00.123456' as moment, date '2026-01-01' as day,
        ['x', 'y, z'] as list, null::varchar[] as no_list""",
        contacts,
    )
    sync(world.published, database, "types")
    (row,) = _rows(
        database,
        """select id, words, empty, missing, mark, amount::text, part, yes, moment::text, day::text,
        list, no_list from types.things""",
    )
    assert row == (
        1, 'a "b", \\N\nc', "", None, "\\N", "1.2500", 0.1, True, "2026-01-01 12:00:00.123456",
        "2026-01-01", ["x", "y, z"], None,
    )  # fmt: skip
    tables = "select tablename from pg_tables where schemaname = 'types' order by 1"
    assert _rows(database, tables) == [("snapshot",), ("things",)]
    sync(world.published, database, "types", with_contact_data=True)
    assert _rows(database, "select * from types.contacts") == [("p1", "ann@firm.org")]
    world.publish("select 2 as id, 'new' as words", contacts)
    sync(world.published, database, "types")
    assert _rows(database, "select * from types.things") == [(2, "new")]
    assert _rows(database, tables) == [("snapshot",), ("things",)]
    assert _rows(database, "select snapshot_id from types.snapshot") == [("000002",)]


def test_a_schema_of_somebody_else_is_left_alone(tmp_path: Path, database: str) -> None:
    world = SnapshotWorld(tmp_path)
    world.publish(members(("a", "p1")))
    execute(database, "create schema crm; create table crm.profiles as select 'mine' as words")
    with pytest.raises(SyncError, match=r"that are not Muster's \(profiles\); nothing was changed"):
        sync(world.published, database, "crm")
    assert _rows(database, "select words from crm.profiles") == [("mine",)]


def test_a_sync_that_fails_leaves_what_was_there(tmp_path: Path, database: str) -> None:
    world = SnapshotWorld(tmp_path, MEMBERS, SMALL)
    world.publish(members(("a", "p1")), "select 1 as id")
    sync(world.published, database, "whole")
    execute(database, "alter table whole.small add constraint few check (id < 2)")
    world.publish(members(("a", "p2")), "select 2 as id")
    with pytest.raises(SyncError, match="PostgreSQL says: new row for relation"):
        sync(world.published, database, "whole")
    assert _rows(database, "select profile_id from whole.segment_memberships") == [("p1",)]
    assert _rows(database, "select snapshot_id from whole.snapshot") == [("000001",)]
    with pytest.raises(SyncError) as refused:
        sync(world.published, "postgresql://ann:secret@127.0.0.1:1/nothing")
    assert "secret" not in str(refused.value)
