"""What every destination keeps, whatever it is: rows arrive, once where it can, and are explained.

Each kind runs against a real server (`tests/destination_worlds.py`), and is compared with a
consumer of a few lines of Python.
"""

import multiprocessing
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.connectors.destinations.base import (
    Batch,
    Clears,
    Completes,
    DeliveryError,
    Remembers,
    Session,
)
from orchestration.connectors.destinations.registry import destination, kinds
from orchestration.feeds.definitions import Feed, FeedSettings
from orchestration.feeds.delivery import opened as opened_feed
from orchestration.feeds.ledger import Ledger
from orchestration.feeds.whole import damaged
from tests.destination_worlds import FEED, KEY, SECRET, WORLDS, Key, Row, World, plain
from tests.kills import seeded

SCHEMA = pa.schema(
    [("sequence", pa.int64()), ("action", pa.string()), ("segment", pa.string()),
     ("profile_id", pa.string()), ("name", pa.string()), ("spend", pa.float64()),
     ("orders", pa.int64()), ("is_vip", pa.bool_()), ("seen_at", pa.timestamp("us")),
     ("tags", pa.list_(pa.string())), ("as_of", pa.string()), ("snapshot_id", pa.string()),
     ("idempotency_key", pa.string())]
)  # fmt: skip
_NAMES = ("Ann", "", None, 'quo"te', "com,ma", "new\nline", "back\\slash", "ünï", "\\N", "'; --")


def history(rng: random.Random, count: int, first: int = 1) -> list[Row]:
    """Random rows of one feed, with odd values."""
    return [
        {
            "sequence": number,
            "action": rng.choice(["enter", "update", "update", "exit", "erase"]),
            "segment": rng.choice(["vip", "lapsed", "new visitors"]),
            "profile_id": f"p{rng.randrange(40)}",
            "name": rng.choice(_NAMES),
            "spend": rng.choice([None, 0.0, 1.5, -1e9]),
            "orders": rng.choice([None, 0, 2**40]),
            "is_vip": rng.choice([None, True, False]),
            "seen_at": datetime.fromisoformat("2026-01-01")
            + timedelta(seconds=rng.randrange(10**6)),
            "tags": rng.choice([None, [], ["a", 'b"']]),
            "as_of": "2026-11-01T00:00:00Z",
            "snapshot_id": "s1",
            "idempotency_key": f"{FEED}-{number}",
        }
        for number in range(first, first + count)
    ]


def batches(
    rows: list[Row], size: int, emission: str = "e1", *, is_replayed: bool = False
) -> list[Batch]:
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    parts = range(0, len(rows), size)
    return [
        Batch(FEED, emission, n, table.slice(at, size), KEY, at + size >= len(rows), is_replayed)
        for n, at in enumerate(parts, 1)
    ]


def applied(rows: list[Row]) -> dict[Key, Row]:
    """What a consumer holds that takes one row after the other."""
    held: dict[Key, Row] = {}
    for row in rows:
        key = (row["segment"], row["profile_id"])
        if row["action"] in ("exit", "erase"):
            held.pop(key, None)
        else:
            held[key] = row
    return held


def opened(entry: dict[str, Any]) -> Session:
    return destination(entry, "destinations.test").open(FEED, SCHEMA.names, KEY)


@pytest.fixture(params=sorted(WORLDS))
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with WORLDS[request.param]() as running:
        yield running


def check(world: World, rows: list[Row], *, was_killed: bool = False) -> None:
    """The consumer has these rows: all, none invented, and once where that is promised."""
    if world.held is not None:
        found = {key: plain(row) for key, row in world.held().items()}
        assert found == {
            key: {name: value for name, value in plain(row).items() if name not in world.left_out}
            for key, row in applied(rows).items()
        }
        return
    assert world.log is not None
    read = [plain(row) for row in world.log()]
    by_sequence = {row["sequence"]: row for row in read}
    assert all(by_sequence[row["sequence"]] == row for row in read), "a repetition differs"
    assert [by_sequence[number] for number in sorted(by_sequence)] == [plain(row) for row in rows]
    if world.is_exactly_once and (world.is_once_after_kills or not was_killed):
        assert sorted(row["sequence"] for row in read) == [row["sequence"] for row in rows]
        latest: dict[str, int] = {}
        for row in read:  # a log may have partitions; of one profile it is in order
            assert row["sequence"] > latest.get(row["profile_id"], 0)
            latest[row["profile_id"]] = row["sequence"]


def test_every_kind_has_a_world() -> None:
    assert {name.partition("-")[0] for name in WORLDS} == set(kinds())


def test_batches_in_order_give_what_plain_python_gives(world: World) -> None:
    rng = seeded()
    rows = history(rng, 300)
    session = opened(world.entry)
    for batch in batches(rows, rng.choice([1 + 10 * rng.randrange(1, 9), 300])):
        assert list(session.deliver(batch)) == []
    if isinstance(session, Completes):
        session.complete(FEED, "e1")
        session.complete(FEED, "e1")
    if isinstance(session, Remembers):
        assert session.delivered(FEED) == 300
    session.close()
    check(world, rows)


def test_a_batch_that_comes_twice_changes_nothing(world: World) -> None:
    rng = seeded()
    rows = history(rng, 90)
    session = opened(world.entry)
    for batch in batches(rows, 30):
        session.deliver(batch)
        session.deliver(batch)
    for batch in batches(rows, 30)[1:]:  # and late, by a process that knows less
        session.deliver(batch)
    session.close()
    check(world, rows)


def test_a_replay_ends_where_it_was(world: World) -> None:
    rows = history(seeded(), 90)
    session = opened(world.entry)
    for batch in [*batches(rows, 30), *batches(rows, 45, "e1", is_replayed=True)]:
        session.deliver(batch)
        if isinstance(session, Remembers):
            assert session.delivered(FEED) == max(30 * batch.number, batch.last_sequence) or (
                session.delivered(FEED) == 90 and batch.is_replayed
            )
    session.close()
    if world.held is not None:
        check(world, rows)


def test_a_refused_row_stops_no_other(world: World) -> None:
    rng = seeded()
    rows = history(rng, 60)
    for row in rows:  # so that no row is hidden by a later one of its key
        row["profile_id"], row["action"] = f"p{row['sequence']}", "enter"
    bad = rng.randrange(60)
    if world.poison:
        rows[bad] = world.poison(rows[bad])
    session = opened(world.entry)
    (batch,) = batches(rows, 60)
    errors = session.deliver(batch)
    again = session.deliver(batch)
    session.close()
    check(world, [row for row in rows if not errors or row is not rows[bad]])
    if not world.poison:
        assert list(errors) == []
        return
    assert [one.sequence for one in errors] == [bad + 1]
    assert errors[0].reason
    assert len(errors[0].reason) < 150
    assert "zero" not in errors[0].reason
    assert list(again) == list(errors), "whose answer was lost must hear it again"
    (cut_anew,) = batches([*rows, *history(rng, 5, first=61)], 65)
    session = opened(world.entry)
    assert list(session.deliver(cut_anew)) == list(errors)
    session.close()


@pytest.mark.parametrize("trouble", ["unreachable", "wrong_password"])
def test_trouble_is_told_in_clear_words_without_the_secret(world: World, trouble: str) -> None:
    entry = getattr(world, trouble)
    if not entry:
        pytest.skip("there is none of that here")
    (batch,) = batches(history(seeded(), 5), 5)
    with pytest.raises(DeliveryError) as caught:
        opened(entry).deliver(batch)
    said = str(caught.value)
    print(said)
    assert SECRET not in said
    assert SECRET[-5:] not in said
    assert "Traceback" not in said
    assert len(said) < 300
    if trouble == "wrong_password":
        assert not caught.value.is_temporary
        assert "refuse" in said


def test_a_cleared_feed_starts_anew(world: World) -> None:
    rows = history(seeded(), 40)
    session = opened(world.entry)
    if not isinstance(session, Clears):
        session.close()
        pytest.skip("it cannot forget")
    for batch in batches(rows, 40):
        session.deliver(batch)
    session.clear(FEED)
    session.clear(FEED)
    if isinstance(session, Remembers):
        assert session.delivered(FEED) == 0
    if world.held is not None:
        assert world.held() == {}
    for batch in batches(rows[:20], 20):
        session.deliver(batch)
    if world.held is not None:
        check(world, rows[:20])
    # As a place that was lost, or is new, is filled by a replay.
    session.clear(FEED)
    for batch in batches(rows, 20, is_replayed=True):
        session.deliver(batch)
    if isinstance(session, Remembers):
        assert session.delivered(FEED) == 40
    session.close()
    if world.held is not None:
        check(world, rows)


def _feed(entry: dict[str, Any], size: int) -> Feed:
    settings = FeedSettings.model_validate({"of": "segments", "to": "there", "batch_rows": size})
    return Feed(FEED, settings, "there", destination(entry, "destinations.there"))


def emit_all(entry: dict[str, Any], path: Path, folder: Path, size: int, begun: Event) -> None:
    """Emissions of a feed in a process that may be killed: each goes on where the last stopped."""
    rows = pq.read_table(path)
    ledger = Ledger(folder / FEED, KEY)
    with opened_feed(_feed(entry, size), ledger, SCHEMA.names, print) as delivery:
        begun.set()
        for header in ledger.unacknowledged():
            assert delivery.emission(header).refused == 0
        while (done := ledger.last_sequence()) < rows.num_rows:
            some = rows.slice(done, 5 * size)
            header = ledger.intend(some, "2026-11-01T00:00:00Z", "s1")
            assert delivery.emission(header, some).refused == 0


def kill_and_emit(world: World, folder: Path, kills: int, size: int = 20) -> int:
    """Kill that many processes, then let one end; how many were killed between first and last."""
    rng = seeded()
    step = 6 * size
    rows = history(rng, kills * step + 200)
    path, ledger = folder / "rows.parquet", Ledger(folder / FEED, KEY)
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.destination_worlds", "duckdb", "redis", "s3fs"])
    begun = context.Event()
    midst = 0
    for _ in range(kills):
        begun.clear()
        process = context.Process(target=emit_all, args=(world.entry, path, folder, size, begun))
        process.start()
        assert begun.wait(60), f"it did not begin: {process.exitcode}"
        goal = min(ledger.arrived() + rng.randrange(step), len(rows) - 1)
        end = time.monotonic() + 60
        while process.is_alive() and time.monotonic() < end:
            with suppress(OSError):  # a file may go away while it is looked at
                if ledger.arrived() >= goal:
                    break
            time.sleep(0.0005)
        time.sleep(rng.uniform(0, 0.02))
        process.kill()
        process.join()
        midst += 0 < ledger.arrived() < len(rows)
    process = context.Process(target=emit_all, args=(world.entry, path, folder, size, begun))
    process.start()
    process.join(300)
    assert process.exitcode == 0
    assert ledger.unacknowledged() == [] and damaged(ledger) == []
    check(world, rows, was_killed=True)
    return midst


def test_kills_lose_nothing(world: World, tmp_path: Path) -> None:
    kill_and_emit(world, tmp_path, kills=3)


@pytest.mark.soak
def test_two_hundred_kills_lose_nothing(world: World, tmp_path: Path) -> None:
    assert kill_and_emit(world, tmp_path, kills=200) > 50
