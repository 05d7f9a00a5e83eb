"""The segment feed against a consumer that applies it, over random histories with crashes."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.connectors.destinations.base import DeliveryError
from orchestration.connectors.destinations.files import FilesDestination, FilesSession
from orchestration.feeds import segment_feed
from orchestration.feeds.definitions import Feed, FeedSettings
from orchestration.feeds.emitted import Emitted
from orchestration.feeds.ledger import Ledger
from orchestration.feeds.upkeep import reset
from orchestration.publication.builds import BuildRecord
from orchestration.publication.export import export
from orchestration.publication.snapshot import (
    newest,
    publish,
    repair_current,
)

Members = set[tuple[str, str]]
TABLES = ["segment_memberships"]


class World:
    """A warehouse whose membership is set by hand, published and emitted by the real code."""

    def __init__(self, folder: Path, **feed: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.warehouse = folder / "warehouse.duckdb"
        self.published = folder / "published"
        entry = {"of": "segments", "to": "files", "guard": {"may_be_empty": True}, **feed}
        files = FilesDestination(type="files", folder=str(folder / "feeds"))
        self.feed = Feed("segments", FeedSettings.model_validate(entry), "files", files)
        self.ledger = Ledger(folder / "ledger" / "feeds" / "segments", self.feed.key)

    def publish(self, members: Members) -> str:
        return self.publish_tables({"segment_memberships": sorted(members)}, TABLES)

    def publish_tables(self, rows: Mapping[str, list[tuple[object, ...]]], names: list[str]) -> str:
        columns = {
            "segment_memberships": "segment varchar, profile_id varchar",
            "profiles": "profile_id varchar, tier varchar, email_consent varchar",
            "identity_aliases": "alias_profile_id varchar, profile_id varchar",
        }
        with duckdb.connect(str(self.warehouse)) as connection:
            connection.execute("create schema if not exists published")
            for name in names:
                connection.execute(f"create or replace table published.{name} ({columns[name]})")
                if found := [list(row) for row in rows.get(name, [])]:
                    marks = ", ".join("?" for _ in found[0])
                    connection.executemany(f"insert into published.{name} values ({marks})", found)
        return publish(
            self.warehouse, self.published, names, BuildRecord("2026-01-01T00:00:00Z", ()), {}
        ).snapshot_id

    def emit(self) -> Emitted:
        return segment_feed.emit(self.feed, self.published, self.folder / "ledger")

    def delivered(self) -> list[dict[str, object]]:
        rows = []
        for path in sorted((self.folder / "feeds" / "segments").glob("*/part-*.jsonl")):
            rows += [json.loads(line) for line in path.read_text().splitlines()]
        return rows

    def consumer(self) -> Members:
        held: Members = set()
        for row in self.delivered():
            pair = (str(row["segment"]), str(row["profile_id"]))
            if row["action"] == "enter":
                assert pair not in held
                held.add(pair)
            else:
                held.remove(pair)
        return held


membership = st.sets(st.tuples(st.sampled_from("ab"), st.sampled_from("1234")))
crash = st.sampled_from(["none", "before delivery", "before acknowledgement", "not emitted"])


class CrashError(Exception):
    pass


def _emit_with(world: World, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise CrashError

    if where == "not emitted":
        return
    with monkeypatch.context() as patch:
        if where == "before delivery":
            patch.setattr(FilesSession, "deliver", die)
        elif where == "before acknowledgement":
            patch.setattr(Ledger, "acknowledge", die)
        try:
            world.emit()
        except CrashError:
            return


@settings(
    max_examples=40,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(history=st.lists(st.tuples(membership, crash), min_size=1, max_size=5))
def test_a_consumer_that_applies_the_feed_holds_what_is_published(
    history: list[tuple[Members, str]],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(tmp_path_factory.mktemp("feed"))
    for members, where in history:
        world.publish(members)
        _emit_with(world, where, monkeypatch)
    world.emit()
    assert world.consumer() == history[-1][0]
    sequences = [row["sequence"] for row in world.delivered()]
    assert sequences == list(range(1, len(sequences) + 1))
    again = world.emit()
    assert (again.rows, again.repeated) == (0, ())


def test_a_repeated_delivery_writes_the_same_rows_and_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    world.publish({("a", "1"), ("b", "2")})
    _emit_with(world, "before acknowledgement", monkeypatch)
    first = world.delivered()
    assert world.emit().repeated == ("000000000001",)
    assert world.delivered() == first
    assert [row["idempotency_key"] for row in first] == ["segments-1", "segments-2"]


def test_current_is_switched_as_a_whole_and_repaired_after_a_kill_between_renames(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    world.publish({("a", "1")})
    current = world.published / "current.duckdb"
    stale = current.read_bytes()
    world.publish({("a", "1"), ("a", "2")})
    with duckdb.connect(str(current), read_only=True) as reader:
        assert reader.sql("select count(*) from segment_memberships").fetchall() == [(2,)]
    current.write_bytes(stale)
    repair_current(world.published)
    with duckdb.connect(str(current), read_only=True) as reader:
        assert reader.sql("select snapshot_id from snapshot").fetchall() == [("000002",)]


def test_a_half_written_snapshot_is_never_the_newest(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish({("a", "1")})
    (world.published / "snapshots" / "building-000002").mkdir()
    manifest = newest(world.published)
    assert manifest is not None and manifest.snapshot_id == "000001"
    assert world.publish(set()) == "000002"
    assert not (world.published / "snapshots" / "building-000002").exists()


def test_files_of_another_ledger_are_not_overwritten(tmp_path: Path) -> None:
    for form in ("jsonl", "parquet", "csv"):
        world = World(tmp_path / form)
        files = FilesDestination(type="files", folder=str(tmp_path / form / "x"), formats=(form,))
        world.feed = replace(world.feed, destination=files)
        world.publish({("a", "p1"), ("a", "p2")})
        world.emit()
        there = {path: path.read_bytes() for path in (tmp_path / form / "x").rglob("part-*")}
        shutil.rmtree(world.ledger.folder)
        world.publish({("a", "p2"), ("a", "p3")})
        with pytest.raises(DeliveryError, match="holds other rows: another ledger wrote them"):
            world.emit()
        assert {path: path.read_bytes() for path in there} == there
        reset(tmp_path / form / "ledger", world.feed, "the ledger is lost", print)
        assert world.emit().actions == {"enter": 2}


def test_an_export_stands_by_itself(tmp_path: Path) -> None:
    world = World(tmp_path / "home")
    with pytest.raises(FileNotFoundError, match="nothing has been published"):
        export(world.published, tmp_path / "copy.duckdb")
    world.publish({("a", "1")})
    export(world.published, tmp_path / "copy.duckdb")
    world.published.rename(tmp_path / "gone")
    with duckdb.connect(str(tmp_path / "copy.duckdb"), read_only=True) as reader:
        assert reader.sql("select count(*) from segment_memberships").fetchall() == [(1,)]
