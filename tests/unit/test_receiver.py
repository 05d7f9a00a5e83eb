"""Parts of the receiver: ids, stamps, torn files, room, keys, and what lands of any event."""

import asyncio
import fcntl
import json
import os
import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.connectors.definitions import load_definitions
from orchestration.connectors.receiver.events import (
    PLAIN,
    SEGMENT,
    RequestError,
    plain_events,
    segment_batch,
    spool_lines,
)
from orchestration.connectors.receiver.gauge import Gauge
from orchestration.connectors.receiver.judge import Judge
from orchestration.connectors.receiver.keys import KeysError, parse_keys
from orchestration.connectors.receiver.server import is_loopback
from orchestration.connectors.receiver.spool import Rotation, Spool, SpoolError, recover
from orchestration.connectors.sources.file_drop import land_inbox
from orchestration.connectors.sources.queries import open_connection
from orchestration.tracking_plan.judgement import reasons_sql
from orchestration.tracking_plan.plan import load_plan

NOW = datetime(2026, 11, 1, 10, 0, 0, 123456, tzinfo=UTC)
EVENT = {"name": "page_view", "occurred_at": "2026-11-01T09:59:59Z"}


def _stored(events: list[dict[str, object]], key: str = "shop") -> list[dict[str, object]]:
    lines = spool_lines([dict(event) for event in events], PLAIN, key, NOW)
    return [json.loads(line) for line in lines.splitlines()]


def test_what_is_added_and_what_is_kept() -> None:
    (stored,) = _stored([{"event_id": "e1", "extra": 1, "write_key_name": "a lie"}])
    assert stored == {
        "event_id": "e1",
        "extra": 1,
        "received_at": "2026-11-01T10:00:00.123Z",
        "write_key_name": "shop",
    }
    assert "write_key_name" not in _stored([{"event_id": "e1", "write_key_name": "a lie"}], "")[0]
    forwarded = {"event_id": "e1", "received_at": "2026-10-01T00:00:00Z"}
    assert _stored([forwarded])[0]["received_at"] == forwarded["received_at"]


def test_a_retry_of_an_event_without_id_is_the_same_event() -> None:
    first = _stored([EVENT])[0]["event_id"]
    assert _stored([{**EVENT, "event_id": ""}])[0]["event_id"] == first
    assert _stored([{**EVENT, "event_id": None}])[0]["event_id"] == first
    assert _stored([dict(reversed(EVENT.items()))])[0]["event_id"] == first
    assert _stored([EVENT], "app")[0]["event_id"] != first
    assert _stored([{**EVENT, "page_url": "x"}])[0]["event_id"] != first


def test_events_without_id_and_time_may_truly_happen_twice() -> None:
    first, second = _stored([{"name": "ping"}, {"name": "ping"}])
    assert first["event_id"] != second["event_id"]


def test_a_retried_segment_batch_has_the_same_ids_though_it_is_sent_later() -> None:
    def ids(sent_at: str) -> list[object]:
        message = {"type": "track", "event": "x", "timestamp": "2026-11-01T09:00:00Z"}
        messages = segment_batch(json.dumps({"batch": [message], "sentAt": sent_at}).encode())
        lines = spool_lines(messages, SEGMENT, "shop", NOW)
        return [json.loads(line)["messageId"] for line in lines.splitlines()]

    assert ids("2026-11-01T10:00:00Z") == ids("2026-11-01T10:05:00Z")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(["event_id", "name", "properties", "received_at", "page_url", "value"])
OBJECTS = st.dictionaries(NAMES | st.text(st.characters(exclude_categories=["Cs"])), JSON)


@settings(
    max_examples=6,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(OBJECTS, min_size=1, max_size=60))
def test_whatever_is_accepted_becomes_exactly_one_landing_row(
    tmp_path_factory: pytest.TempPathFactory, objects: list[dict[str, object]]
) -> None:
    home = tmp_path_factory.mktemp("any")
    received = plain_events(json.dumps(objects).encode())
    lines = spool_lines(received, PLAIN, "shop", NOW)
    assert lines.count(b"\n") == len(objects)
    path = home / "inbox" / "web" / "events" / "received-x.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(lines)
    report = land_inbox(home / "inbox", home / "landing", home / "dlt", "web")
    assert (report.refused, report.rows) == ({}, {"web_events": len(objects)})
    files = f"{home}/landing/web/web_events/*.parquet"
    connection, reasons = open_connection(), reasons_sql(load_plan()[1])
    landed = f"select event_id, _extra, {reasons} from read_parquet('{files}') order by _row_number"
    found = connection.execute(landed).fetchall()
    judge = Judge(load_definitions()["web/events"], reasons)
    judgement = asyncio.run(judge.judge(lines))
    assert judgement and judgement.count == sum(len(str(row[2]).split("; ")) for row in found)
    for line, (event_id, extra, _) in zip(lines.splitlines(), found, strict=True):
        stored = json.loads(line)
        if isinstance(stored["event_id"], str):
            assert event_id == stored["event_id"]
        assert json.loads(extra)["write_key_name"] == "shop"


def _append(folder: Path, *lines: bytes, close: bool = True) -> Spool:
    spool = Spool(folder, Rotation(seconds=60))

    async def all_at_once() -> None:
        await asyncio.gather(*(spool.append(line) for line in lines))

    asyncio.run(all_at_once())
    if close:
        spool.close()
    return spool


def test_lines_are_on_disk_when_append_returns_and_keep_their_order(tmp_path: Path) -> None:
    lines = [b"%d\n" % number for number in range(500)]
    spool = _append(tmp_path, *lines, close=False)
    (part,) = tmp_path.glob("received-*.jsonl.part")
    assert part.read_bytes() == b"".join(lines)
    spool.close()
    (whole,) = tmp_path.iterdir()
    assert whole.name == part.name.removesuffix(".part")
    with pytest.raises(SpoolError, match="stopping"):
        asyncio.run(spool.append(b"late\n"))


def test_one_sync_serves_all_who_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs = []
    real = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda fd: (syncs.append(fd), real(fd)))
    _append(tmp_path, *[b"x\n"] * 1000)
    assert 1 <= len(syncs) < 100


def test_a_file_is_closed_by_size_and_by_age(tmp_path: Path) -> None:
    async def two(rotation: Rotation) -> None:
        spool = Spool(tmp_path, rotation)
        for _ in range(2):
            await spool.append(b"x" * 99 + b"\n")
            while list(tmp_path.glob("*.part")):
                await asyncio.sleep(0.01)
        await asyncio.to_thread(spool.close)

    asyncio.run(two(Rotation(seconds=60, size=100)))
    assert len(list(tmp_path.iterdir())) == 2
    asyncio.run(two(Rotation(seconds=0.05)))
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize(
    ("content", "left"),
    [
        (b'{"a":1}\n{"b":2}\n', b'{"a":1}\n{"b":2}\n'),
        (b'{"a":1}\n{"b":', b'{"a":1}\n'),
        (b'{"a":1}\n' + bytes(200_000), b'{"a":1}\n'),
        (b'{"a":', None),
        (b"", None),
    ],
    ids=["whole", "torn", "zeros after a power cut", "only a torn line", "nothing"],
)
def test_what_a_dead_receiver_left_is_cut_at_its_last_line(
    tmp_path: Path, content: bytes, left: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    part = tmp_path / "received-1.jsonl.part"
    part.write_bytes(content)
    assert recover(tmp_path) == 1
    assert not part.exists()
    whole = tmp_path / "received-1.jsonl"
    assert (whole.read_bytes() if whole.exists() else None) == left
    assert ("never acknowledged" in caplog.text) == (len(content) > len(left or b""))


def test_the_file_of_a_living_receiver_is_left_alone(tmp_path: Path) -> None:
    part = tmp_path / "received-1.jsonl.part"
    part.write_bytes(b"half a li")
    with part.open("ab") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        assert recover(tmp_path) == 0
        assert part.read_bytes() == b"half a li"
    assert recover(tmp_path) == 1
    (tmp_path / "other.jsonl.part").write_bytes(b"of a user")
    assert recover(tmp_path) == 0


def test_spools_that_start_while_others_recover_lose_nothing(tmp_path: Path) -> None:
    """A new file may be taken for a dead one's just before its writer locks it."""
    done = threading.Event()

    def recover_always() -> None:
        while not done.is_set():
            recover(tmp_path)

    threads = [threading.Thread(target=recover_always) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for number in range(60):
            _append(tmp_path, b"%d\n" % number)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    found = b"".join(path.read_bytes() for path in sorted(tmp_path.iterdir()))
    assert [int(line) for line in found.splitlines()] == list(range(60))


def test_the_gauge_counts_what_has_not_landed(tmp_path: Path) -> None:
    inbox, landing = tmp_path / "inbox", tmp_path / "landing"
    folder = inbox / "web" / "events"
    folder.mkdir(parents=True)
    gauge = Gauge(inbox, landing, ("web/events", "segment/events"), 1000, 0, keep_days=1)
    line = json.dumps({"event_id": "e1", **EVENT}).encode() + b"\n"
    (folder / "received-1.jsonl").write_bytes(line)
    (folder / "of_a_user.jsonl").write_bytes(line + line)

    async def count() -> int:
        async with gauge.reserved(7):
            await gauge.refresh()
            during = gauge.spool_bytes
        assert gauge.spool_bytes == during
        await gauge.refresh()
        return during

    assert asyncio.run(count()) == len(line) + 7
    assert gauge.spool_bytes == len(line)
    assert gauge.refusal(1000 - len(line)) is None
    assert "wait to be landed" in str(gauge.refusal(1001 - len(line)))
    land_inbox(inbox, landing, tmp_path / "dlt", "web")
    (folder / "received-2.jsonl.part").write_bytes(b"12345")
    asyncio.run(gauge.refresh())
    assert gauge.spool_bytes == 5


def test_files_that_landed_long_ago_are_removed_and_nothing_else(tmp_path: Path) -> None:
    inbox, landing = tmp_path / "inbox", tmp_path / "landing"
    folder = inbox / "web" / "events"
    folder.mkdir(parents=True)
    gauge = Gauge(inbox, landing, ("web/events",), 1000, 0, keep_days=1)
    names = ["received-old.jsonl", "received-new.jsonl", "of_a_user.jsonl", "received-grown.jsonl"]
    for number, name in enumerate(names):
        (folder / name).write_text(json.dumps({"event_id": number}) + "\n")
    land_inbox(inbox, landing, tmp_path / "dlt", "web")
    with (folder / "received-grown.jsonl").open("a") as stream:
        stream.write(json.dumps({"event_id": "later"}) + "\n")
    (folder / "received-waits.jsonl").write_text(json.dumps({"event_id": "waits"}) + "\n")
    for name in {*names, "received-waits.jsonl"} - {"received-new.jsonl"}:
        os.utime(folder / name, (0, 0))
    asyncio.run(gauge.refresh())
    assert {path.name for path in folder.iterdir()} == {
        *names[1:],
        "received-waits.jsonl",
    }
    shutil.rmtree(landing)
    os.utime(folder / "received-new.jsonl", (0, 0))
    asyncio.run(gauge.refresh())
    assert (folder / "received-new.jsonl").exists(), "it has not landed any more"


def test_a_write_that_failed_is_not_counted(tmp_path: Path) -> None:
    gauge = Gauge(tmp_path, tmp_path, ("web/events",), 1000, 0, keep_days=1)

    async def fail() -> None:
        async with gauge.reserved(7):
            raise SpoolError("disk")

    with pytest.raises(SpoolError):
        asyncio.run(fail())
    assert gauge.spool_bytes == 0


def test_a_key_can_be_rotated_under_one_name() -> None:
    keys = parse_keys(" shop:old-key-with-20-char , shop:new:with:colons-20-ch,app:short ")
    assert keys.names == ["shop", "app"] and keys.short == ("app",)
    assert keys.name_of("old-key-with-20-char") == keys.name_of("new:with:colons-20-ch") == "shop"
    assert keys.name_of("shop") is None
    assert "old-key" not in repr(keys)


@pytest.mark.parametrize("text", ["key-only", ":key", "shop:", "a b:key", "a:same,b:same"])
def test_keys_that_are_none_are_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(KeysError) as caught:
        parse_keys(text)
    assert "key-only" not in str(caught.value) and "same" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.evil.com", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_too_many_events_are_told_apart_from_too_many_bytes() -> None:
    for body in (b"[" + b"{}," * 50_000 + b"{}]", b"{}\n" * 50_001):
        with pytest.raises(RequestError, match="50,001 events; send 50,000 at most") as caught:
            plain_events(body)
        assert caught.value.status == 413


def test_deep_nesting_is_an_error_of_the_sender() -> None:
    deep = b'[{"event_id":"e"},{"a":' + b"[" * 400 + b"]" * 400 + b"}]"
    with pytest.raises(RequestError, match="element 1 is nested too deeply"):
        spool_lines(plain_events(deep), PLAIN, "shop", NOW)
