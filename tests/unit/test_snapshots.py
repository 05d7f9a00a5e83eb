"""Snapshots: equal content, retention, what changed, what is damaged, and copies elsewhere."""

import json
import random
import stat
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from orchestration.assets.published import copy_assets
from orchestration.cli import app
from orchestration.publication.compare import compare
from orchestration.publication.export import export
from orchestration.publication.manifest import SnapshotError, published_at, read_manifest
from orchestration.publication.object_store import CopyError, copy_newest
from orchestration.publication.retention import Retention, expired, retention_of
from orchestration.publication.snapshot import (
    delete_expired,
    newest,
    repair_current,
    snapshot_ids,
)
from orchestration.publication.verify import verify
from tests.homes import checksums, muster_home
from tests.snapshot_world import CONTACTS, MEMBERS, SnapshotWorld, members

CONTACT = "select 'p1' as profile_id, 'ann@firm.org' as contact_point"


def test_equal_content_has_one_digest_whatever_its_order(tmp_path: Path) -> None:
    world = SnapshotWorld(tmp_path)
    rows = [(segment, f"p{number}") for segment in "ab" for number in range(500)]
    first = world.publish(members(*rows))
    random.Random(7).shuffle(rows)
    assert checksums(world.publish(members(*rows))) == checksums(first)
    for others in (rows[1:], [*rows, rows[0]], [*rows[1:], rows[1]], [("b", "p0"), *rows[1:]]):
        assert checksums(world.publish(members(*others))) != checksums(first)


def test_only_the_owner_reads_contact_data_and_copies_leave_it_out(tmp_path: Path) -> None:
    world = SnapshotWorld(tmp_path, MEMBERS, CONTACTS)
    manifest = world.publish(members(("a", "p1")), CONTACT)
    folder = world.published / "snapshots" / "000001"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes["contacts.parquet"] == 0o600
    assert modes["segment_memberships.parquet"] & 0o044 == 0o044
    assert stat.S_IMODE(folder.stat().st_mode) & 0o055 == 0o055
    assert manifest.open_tables() == ["segment_memberships"]
    export(world.published, tmp_path / "open.duckdb")
    export(world.published, tmp_path / "all.duckdb", with_contact_data=True)
    assert stat.S_IMODE((tmp_path / "all.duckdb").stat().st_mode) == 0o600
    tables = {}
    for name in ("open", "all"):
        with duckdb.connect(str(tmp_path / f"{name}.duckdb"), read_only=True) as reader:
            tables[name] = {row[0] for row in reader.sql("show tables").fetchall()}
    assert tables["all"] - tables["open"] == {"contacts"}
    (folder / "contacts.parquet").chmod(0o644)
    (fault,) = verify(world.published)
    assert "others may read it" in fault.words


def _slow_expired(ages: list[int], count: int, age: int, grace: int) -> list[str]:
    """By the words of the settings, one snapshot after the other; ages in minutes."""
    gone = []
    for place in range(len(ages)):
        newer = ages[place + 1 :]
        if not newer:
            continue
        replaced = newer[0]
        if replaced < grace:
            continue
        if len(newer) >= count or replaced >= age:
            gone.append(f"{place:06d}")
    return gone


@settings(deadline=None)
@given(
    ages=st.lists(st.integers(0, 5000), max_size=12),
    count=st.integers(1, 6),
    age=st.integers(0, 4000),
    grace=st.integers(0, 200),
)
def test_retention_is_by_number_and_age_and_never_within_the_grace(
    ages: list[int], count: int, age: int, grace: int
) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    ages = sorted(ages, reverse=True)
    snapshots = [
        (f"{place:06d}", now - timedelta(minutes=minutes)) for place, minutes in enumerate(ages)
    ]
    retention = Retention(count, timedelta(minutes=age), timedelta(minutes=grace))
    assert expired(snapshots, retention, now) == _slow_expired(ages, count, age, grace)


def test_settings_of_retention_say_what_is_wrong() -> None:
    assert retention_of({}) == Retention(10, timedelta(days=30), timedelta(hours=1))
    few = {"MUSTER_KEEP_SNAPSHOTS": "3", "MUSTER_SNAPSHOT_GRACE_MINUTES": "0.5"}
    assert retention_of(few) == Retention(3, timedelta(days=30), timedelta(seconds=30))
    for wrong in ("many", "0", "nan"):
        with pytest.raises(ValueError, match=f"MUSTER_KEEP_SNAPSHOTS is '{wrong}'"):
            retention_of({"MUSTER_KEEP_SNAPSHOTS": wrong})


def test_old_snapshots_go_after_their_grace_and_numbers_are_never_used_twice(
    tmp_path: Path,
) -> None:
    world = SnapshotWorld(tmp_path)
    for _ in range(4):
        world.publish(members(("a", "p1")))
    assert delete_expired(world.published, Retention(count=2)) == []
    at_once = Retention(count=2, grace=timedelta(0))
    assert delete_expired(world.published, at_once) == ["000001", "000002"]
    assert snapshot_ids(world.published) == ["000003", "000004"]
    assert not list((world.published / "snapshots").glob("deleted-*"))
    assert world.publish(members(("a", "p1"))).snapshot_id == "000005"
    assert published_at(world.published, "000005") > published_at(world.published, "000004")
    assert delete_expired(world.published, Retention(age=timedelta(0), grace=timedelta(0)))
    assert snapshot_ids(world.published) == ["000005"]


@settings(deadline=None)
@given(
    before=st.dictionaries(st.integers(0, 8), st.tuples(st.integers(0, 2), st.integers(0, 2))),
    after=st.dictionaries(st.integers(0, 8), st.tuples(st.integers(0, 2), st.integers(0, 2))),
)
def test_a_difference_is_what_dictionaries_say(
    before: dict[int, tuple[int, int]],
    after: dict[int, tuple[int, int]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    table = MEMBERS.__class__("things", "things", key=("id",))
    world = SnapshotWorld(tmp_path_factory.mktemp("diff"), table)
    for number, rows in enumerate((before, after)):
        values = ", ".join(f"({one}, {a}, nullif({b}, 0))" for one, (a, b) in rows.items())
        world.publish(
            f"select *, {number} as as_of "
            f"from (values (-1, 0, 0){', ' if values else ''}{values}) as rows (id, a, b)"
        )
    (found,) = compare(world.published, "000001", "000002", samples=100)
    both = before.keys() & after.keys()
    changed = [one for one in both if before[one] != after[one]]
    assert (found.added, found.removed, found.changed) == (
        len(after.keys() - both),
        len(before.keys() - both),
        len(changed),
    )
    columns = {
        name: sum(before[one][place] != after[one][place] for one in both)
        for place, name in enumerate("ab")
    }
    assert found.columns == {name: count for name, count in columns.items() if count}
    assert Counter(one.column for one in found.sample) == Counter(found.columns)
    assert found.is_empty == (before == after)


def test_a_difference_tells_of_schemas_and_shows_no_contact_data(tmp_path: Path) -> None:
    world = SnapshotWorld(tmp_path, MEMBERS, CONTACTS)
    world.publish(members(("a", "p1")), CONTACT)
    changed = CONTACT.replace("ann@", "bob@")
    world.publish("select 'a' as segment, 'p1' as profile_id, 'x' as score, 1 as more", changed)
    contacts, memberships = compare(world.published, "000001", "000002")
    assert contacts.columns == {"contact_point": 1} and contacts.sample == ()
    assert memberships.schema == ("more is new", "score was INTEGER and is VARCHAR")
    world.tables = [MEMBERS]
    world.publish(members(("a", "p1")))
    assert compare(world.published, "000002", "000003")[0].schema == ("the table is gone",)
    without_key = SnapshotWorld(tmp_path / "other", MEMBERS.__class__("log", "log"))
    without_key.publish("select unnest([1, 1, 2]) as line")
    without_key.publish("select unnest([1, 2, 2, 3]) as line")
    (log,) = compare(without_key.published, "000001", "000002")
    assert (log.added, log.removed, log.changed) == (2, 1, 0)


def test_damage_is_told_by_file_and_in_words(tmp_path: Path) -> None:
    world = SnapshotWorld(tmp_path)
    for number in range(6):
        world.publish(members(("a", f"p{number}")))
    assert verify(world.published) == []
    snapshots = world.published / "snapshots"
    file = "segment_memberships.parquet"
    (snapshots / "000001" / file).unlink()
    with (snapshots / "000002" / file).open("ab") as stream:
        stream.write(b"more")
    content = bytearray((snapshots / "000003" / file).read_bytes())
    content[len(content) // 2] ^= 1
    (snapshots / "000003" / file).write_bytes(content)
    (snapshots / "000004" / "manifest.json").write_text('{"snapshot_id": "0000')
    (snapshots / "000005" / "stranger.csv").touch()
    words = {fault.snapshot_id: fault.words for fault in verify(world.published)}
    assert words["000001"] == "it is missing"
    assert "bytes instead of" in words["000002"]
    assert "SHA-256 is another" in words["000003"]
    assert "manifest.json is damaged" in words["000004"]
    assert words["000005"] == "the manifest does not know it"
    assert "000006" not in words
    with pytest.raises(SnapshotError, match="there is no snapshot 000009: 000001 to 000006"):
        verify(world.published, "000009")
    with pytest.raises(SnapshotError, match=r"parquet is missing, though"):
        compare(world.published, "000001", "000002")


def test_wrong_counts_and_a_stale_current_are_found(tmp_path: Path) -> None:
    world = SnapshotWorld(tmp_path)
    world.publish(members(("a", "p1")))
    stale = (world.published / "current.duckdb").read_bytes()
    world.publish(members(("a", "p1")))
    (world.published / "current.duckdb").write_bytes(stale)
    manifest = world.published / "snapshots" / "000001" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"rows": 1', '"rows": 2'))
    words = [fault.words for fault in verify(world.published)]
    assert words[0] == "it has 1 rows instead of 2"
    assert "it shows snapshot 000001, and 000002 is the newest" in words[1]
    repair_current(world.published)
    assert len(verify(world.published)) == 1


def test_manifests_of_before_are_read(tmp_path: Path) -> None:
    world = SnapshotWorld(tmp_path)
    world.publish(members(("a", "p1")))
    path = world.published / "snapshots" / "000001" / "manifest.json"
    raw = json.loads(path.read_text())
    del raw["published_at"]
    for table in raw["tables"].values():
        del table["key"], table["is_private"]
    path.write_text(json.dumps(raw))
    assert read_manifest(world.published, "000001").open_tables() == ["segment_memberships"]
    assert published_at(world.published, "000001").tzinfo is not None
    world.publish(members(("a", "p2")))
    (found,) = compare(world.published, "000001", "000002")
    assert (found.added, found.removed) == (1, 1)


def test_the_commands_say_what_there_is(tmp_path: Path) -> None:
    run = CliRunner().invoke
    with muster_home(tmp_path):
        assert "nothing has been published yet" in run(app, ["published", "list"]).output
        world = SnapshotWorld(tmp_path)
        world.publish(members(("a", "p1"), ("a", "p2")))
        world.publish(members(("a", "p1"), ("a", "p3"), score=1))
        assert "000002" in run(app, ["published", "list"]).output
        shown = run(app, ["published", "diff", "1", "2"])
        assert "segment_memberships (a, p1): score was 0, is 1" in shown.output
        assert run(app, ["published", "diff", "1", "7"]).exit_code == 2
        assert "2 snapshots are whole" in run(app, ["published", "verify"]).output
        assert "1 snapshot is whole" in run(app, ["published", "verify", "2"]).output
        (world.published / "snapshots/000001/segment_memberships.parquet").unlink()
        damaged = run(app, ["published", "verify"])
        assert damaged.exit_code == 1
        assert "000001/segment_memberships.parquet: it is missing" in damaged.output
        gone = tmp_path / "copy.duckdb"
        (world.published / "snapshots/000002/segment_memberships.parquet").unlink()
        failed = run(app, ["published", "export", str(gone)])
        assert (
            failed.exit_code == 2
            and "000002/segment_memberships.parquet: it is missing" in failed.output
        )


def test_what_cannot_be_written_is_told_and_nothing_else_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = CliRunner().invoke
    with muster_home(tmp_path):
        world = SnapshotWorld(tmp_path)
        world.publish(members(("a", "p1")))
        target, notes = tmp_path / "copy.duckdb", tmp_path / "notes.txt"
        notes.write_text("mine")
        for _ in range(2):  # an older export is replaced
            assert run(app, ["published", "export", str(target)]).exit_code == 0
        for words, told in (
            (["export", str(notes)], "is there and no export"),
            (["export", str(world.published / "current.duckdb")], "where snapshots are published"),
            (["export", "/proc/copy.duckdb"], "/proc/copy.duckdb cannot be written: IO Error"),
            (["export", str(tmp_path / "no/copy.duckdb")], "name a file in a folder that exists"),
            (["copy", "backup"], "'backup' is no address such as s3://bucket/prefix"),
            (["copy", "s4://bucket"], "snapshot 000001 was not copied to s4://bucket: Protocol"),
            (["sync", "shop"], "must be one such as postgresql://user@host/database"),
            (["sync", "postgresql://a@127.0.0.1:1/b"], "000001 was not synced: PostgreSQL says: "),
        ):
            failed = run(app, ["published", *words])
            assert failed.exit_code == 2 and told in failed.output, (words, failed.output)
        assert notes.read_text() == "mine"
        file = world.published / "snapshots/000001/segment_memberships.parquet"
        kept = file.read_bytes()
        file.write_bytes(kept[:-1] + b"x")
        for words in (
            ["export", str(target)],
            ["copy", str(tmp_path / "copies")],
            ["sync", "postgresql://a@127.0.0.1:1/b"],
        ):
            failed = run(app, ["published", *words])
            assert failed.exit_code == 2 and "its SHA-256 is another" in failed.output, words
        assert not (tmp_path / "copies").exists()
        file.write_bytes(kept)
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        failed = run(app, ["published", "copy", "s3://bucket/x"])
        assert failed.exit_code == 2 and "was not copied to s3://bucket/x: " in failed.output


def test_a_copy_is_complete_before_it_is_named_and_old_ones_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In S3 itself, as far as moto is that: the same calls over HTTP."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "anybody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "anything")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    try:
        _copies(tmp_path)
    finally:
        server.stop()


def _copies(tmp_path: Path) -> None:
    import s3fs

    store = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)
    store.mkdir("bucket")
    world = SnapshotWorld(tmp_path, MEMBERS, CONTACTS)
    keep = Retention(count=1, grace=timedelta(0))
    for number in (1, 2, 3):
        manifest = world.publish(members(("a", f"p{number}")), CONTACT)
        if number == 2:  # an upload that was killed before its manifest
            store.pipe_file("bucket/muster/snapshots/000002/segment_memberships.parquet", b"half")
        else:
            copy_newest(world.published, "s3://bucket/muster", keep)
    current = json.loads(store.cat_file("bucket/muster/current.json"))
    assert current["snapshot_id"] == manifest.snapshot_id == "000003"
    copied = json.loads(store.cat_file(f"bucket/muster/{current['manifest']}"))
    assert list(copied["tables"]) == ["segment_memberships"]
    assert sorted(store.find("bucket")) == [
        "bucket/muster/current.json",
        "bucket/muster/snapshots/000003/manifest.json",
        "bucket/muster/snapshots/000003/segment_memberships.parquet",
    ]
    local = world.published / "snapshots/000003/segment_memberships.parquet"
    path = "bucket/muster/snapshots/000003/segment_memberships.parquet"
    assert store.cat_file(path) == local.read_bytes()
    with pytest.raises(CopyError, match="snapshot 000003 was not copied to s3://nowhere/x"):
        copy_newest(world.published, "s3://nowhere/x", keep)
    found = newest(world.published)
    assert found is not None and found.snapshot_id == "000003"


def test_a_run_copies_its_snapshot_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To a folder here; one that refuses fails the asset, on which nothing hangs."""
    monkeypatch.delenv("MUSTER_PUBLISH_TO", raising=False)
    assert copy_assets() == []
    target = tmp_path / "elsewhere"
    with muster_home(tmp_path / "home"), dg.DagsterInstance.ephemeral() as instance:
        SnapshotWorld(tmp_path / "home").publish(members(("a", "p1")))
        monkeypatch.setenv("MUSTER_PUBLISH_TO", f"file://{target}")
        assert dg.materialize(copy_assets(), instance=instance).success
        current = json.loads((target / "current.json").read_text())
        assert (target / current["manifest"]).exists()
        monkeypatch.setenv("MUSTER_PUBLISH_TO", "nothing://bucket")
        failed = dg.materialize(copy_assets(), instance=instance, raise_on_error=False)
        (step,) = failed.get_step_failure_events()
        assert "snapshot 000001 was not copied to nothing://bucket" in str(step.event_specific_data)
