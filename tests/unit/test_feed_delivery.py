"""Attempts, refused rows, guards and words of people; the destination does as it is told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestration.automation.alerts import alert
from orchestration.cli import app
from orchestration.connectors.destinations.base import Batch, DeliveryError, Destination, RowError
from orchestration.connectors.destinations.files import FilesDestination
from orchestration.emission import emit
from orchestration.feeds import delivery
from orchestration.feeds import ledger as ledger_module
from orchestration.feeds.definitions import Feed, FeedError, load_feeds
from orchestration.feeds.dry_run import look_ahead
from orchestration.feeds.erasures import erase
from orchestration.feeds.ledger import LedgerError
from orchestration.feeds.refused import refusals
from orchestration.feeds.status import due, status_of
from orchestration.feeds.upkeep import replay, reset, revive
from orchestration.feeds.whole import damaged
from orchestration.feeds.words import WordError, say, words
from orchestration.publication.manifest import SnapshotError
from orchestration.resources.settings import Settings
from tests.http_receiver import receiver
from tests.unit.test_segment_feed import World

TABLES = ["segment_memberships", "profiles", "identity_aliases"]


class Told(Destination):
    """Takes what `answer` lets it, and keeps the rows it took."""

    type: str = "told"
    batch_rows: int = 3
    taken: list[dict[str, Any]]
    answer: Any = None
    knows: int = 0
    seen: int = 0
    where: str = ""

    def place(self, feed: str) -> str:
        return self.where

    def delivered(self, feed: str) -> int:
        return self.knows or self.seen

    def open(self, feed: str, columns: Sequence[str], key: Sequence[str]) -> "Told":
        return self

    def deliver(self, batch: Batch) -> Sequence[RowError]:
        errors = self.answer(batch) if self.answer else ()
        refused = {error.sequence for error in errors}
        self.seen = max(self.seen, batch.last_sequence)
        self.taken += [row for row in batch.rows.to_pylist() if row["sequence"] not in refused]
        return errors

    def close(self) -> None:
        pass


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(delivery, "_FIRST_PAUSE", 0.0)
    world = World(tmp_path, guard={})
    world.feed = Feed("segments", world.feed.settings, "told", Told(taken=[]))
    return world


def _there(world: World) -> Told:
    assert isinstance(world.feed.destination, Told)
    return world.feed.destination


def _everybody(count: int, segment: str = "a") -> set[tuple[str, str]]:
    return {(segment, f"p{number:03d}") for number in range(count)}


def _due(world: World, later: timedelta = timedelta(0)) -> str:
    return due(world.feed, world.folder / "ledger", world.published, datetime.now(UTC) + later)


def test_a_row_that_is_refused_for_ever_is_a_dead_letter_and_the_feed_goes_on(world: World) -> None:
    there = _there(world)

    def no_p001(batch: Batch) -> list[RowError]:
        return [RowError(row["sequence"], "no such list (404)")
                for row in batch.rows.to_pylist() if row["profile_id"] == "p001"]  # fmt: skip

    there.answer = no_p001
    members = _everybody(5)
    states = []
    for number in range(4):
        world.publish(members | _everybody(number, "b"))
        world.emit()
        states.append([(one.sequence, one.state, one.attempts)
                       for one in refusals(world.ledger.folder)])  # fmt: skip
    # p001 of segment b, too, from the third snapshot on.
    assert states[0] == [(2, "waiting", 1)]
    assert states[1] == [(2, "waiting", 2)]
    assert states[2][0] == (2, "dead", 3)
    assert states[3][0] == (2, "dead", 3)
    assert world.ledger.unacknowledged() == []
    taken = {(row["segment"], row["profile_id"]) for row in there.taken}
    assert taken == {pair for pair in members | _everybody(3, "b") if pair[1] != "p001"}
    # The destination was mended: people try dead letters anew.
    there.answer = None
    assert revive(world.folder / "ledger", world.feed, print) == 1
    assert world.emit().retried == (2, 0)
    assert refusals(world.ledger.folder) == []
    assert ("a", "p001") in {(row["segment"], row["profile_id"]) for row in there.taken}


def test_a_refused_row_gives_way_to_a_later_one_of_its_key(world: World) -> None:
    there = _there(world)
    there.answer = lambda batch: [RowError(batch.first_sequence, "busy")]
    world.publish(_everybody(2))
    world.emit()
    there.answer = None
    world.publish({("a", "p001")})  # p000, which was refused, left
    world.emit()
    world.emit()
    assert refusals(world.ledger.folder, ("superseded",))[0].sequence == 1
    assert [row["action"] for row in there.taken if row["profile_id"] == "p000"] == ["exit"]


def test_a_destination_that_is_down_is_tried_again_and_then_left_alone(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    there = _there(world)
    attempts = []

    def down(batch: Batch) -> Sequence[RowError]:
        attempts.append(batch.idempotency_key)
        raise DeliveryError("host is down", is_temporary=True)

    world.publish(_everybody(7))
    assert _due(world).startswith("snapshot 000001")
    there.answer = down
    with pytest.raises(DeliveryError, match="host is down"):
        world.emit()
    assert attempts == ["segments-1-3"] * 4
    assert capsys.readouterr().out.splitlines() == [
        "attempt 1 of 4 at rows 1 to 3 failed: host is down",
        "attempt 2 of 4 at rows 1 to 3 failed alike",
        "attempt 3 of 4 at rows 1 to 3 failed alike",
    ]  # the last is told by the error
    assert _due(world) == ""  # the sensor lets it rest
    assert _due(world, timedelta(minutes=2)) == "1 attempts failed"
    status = status_of(
        world.feed, world.folder / "ledger", world.published, datetime.now(UTC)
    )  # what people see
    assert status.troubles == ["cannot be delivered: host is down"]
    with pytest.raises(DeliveryError):
        world.emit()
    assert _due(world, timedelta(minutes=1)) == ""  # it rests longer
    there.answer = lambda batch: () if batch.number < 3 else down(batch)
    with pytest.raises(DeliveryError):
        world.emit()
    there.answer = None
    assert world.emit().repeated == ("000000000001",)
    # It went on at the batch that failed.
    assert [row["sequence"] for row in there.taken] == list(range(1, 8))
    assert _due(world) == "" and world.ledger.failure() is None


def test_what_no_attempt_can_help_is_tried_once(world: World) -> None:
    attempts = []

    def refuse(batch: Batch) -> Sequence[RowError]:
        attempts.append(batch.number)
        raise DeliveryError("the credential expired", is_temporary=False)

    _there(world).answer = refuse
    world.publish(_everybody(1))
    with pytest.raises(DeliveryError, match="expired"):
        world.emit()
    assert attempts == [1]


def test_a_long_rest_that_was_asked_for_is_given(world: World) -> None:
    def busy(_: Batch) -> Sequence[RowError]:
        raise DeliveryError("too many requests", is_temporary=True, retry_after=7200)

    _there(world).answer = busy
    world.publish(_everybody(1))
    with pytest.raises(DeliveryError):
        world.emit()
    assert _due(world, timedelta(minutes=119)) == ""
    assert _due(world, timedelta(minutes=121))


@pytest.mark.parametrize(
    ("before", "now", "why"),
    [(5, 0, "holds nobody"), (200, 99, "loses 50%"), (200, 601, "grows 3.0 times"),
     (200, 100, ""), (200, 600, ""), (99, 1, ""), (30, 99, ""), (0, 500, "")],
)  # fmt: skip
def test_a_guard_holds_an_audience_until_somebody_releases_it(
    world: World, before: int, now: int, why: str
) -> None:
    world.publish(_everybody(before) | _everybody(3, "b"))
    world.emit()
    world.publish(_everybody(now) | _everybody(4, "b"))
    emitted = world.emit()
    # The other audience goes on.
    assert emitted.actions["enter"] == 1 + (0 if why else max(now - before, 0))
    assert bool(emitted.held) == bool(why)
    if not why:
        return
    (held,) = emitted.held
    assert (held.audience, held.before, held.now) == ("a", before, now) and why in held.why
    look = world.ledger.look()
    assert look is not None and look.held == {"a": held.reason}
    assert not _due(world)
    say(world.ledger.folder, "release", "it was a sale", world.ledger.last_sequence(), "a")
    assert _due(world)
    emitted = world.emit()
    assert emitted.released == {"a": f"{words(world.ledger.folder)[0].said_by}: it was a sale"}
    assert emitted.rows == abs(now - before)
    # It is spent: the next collapse is held again.
    world.publish(_everybody(4, "b"))
    assert [one.audience for one in world.emit().held] == (["a"] if now else [])


def test_a_paused_feed_sends_nothing_and_then_all(world: World) -> None:
    world.publish(_everybody(2))
    say(world.ledger.folder, "pause", "they move", 0)
    with pytest.raises(WordError, match="paused already"):
        say(world.ledger.folder, "pause", "", 0)
    assert world.emit().paused and _there(world).taken == [] and not _due(world)
    say(world.ledger.folder, "resume", "", 0)
    assert world.emit().rows == 2


def test_a_reset_sends_everybody_anew_under_new_numbers(world: World) -> None:
    world.publish(_everybody(4))
    world.emit()
    reset(world.folder / "ledger", world.feed, "a new database", print)
    # It cannot forget, so it was told that everybody leaves.
    assert [(row["action"], row["reason"]) for row in _there(world).taken[4:]] == [
        ("exit", "reset")
    ] * 4
    assert world.emit().actions == {"enter": 4}
    assert [row["sequence"] for row in _there(world).taken] == list(range(1, 13))
    assert world.emit().rows == 0


def test_a_replay_brings_no_erased_person_back_and_respects_a_pause(world: World) -> None:
    there, ledger = _there(world), world.folder / "ledger"
    world.publish(_everybody(5))
    world.emit()
    erase(ledger, ["p001"], "asked for", "ann")
    assert world.emit().actions == {"erase": 1}
    there.taken.clear()
    assert replay(ledger, world.feed, 1, print).rows == 5
    told = [(row["action"], row["profile_id"]) for row in there.taken]
    assert ("erase", "p001") in told and ("enter", "p001") not in told
    say(world.ledger.folder, "pause", "", 6)
    with pytest.raises(WordError, match="feed segments is paused by"):
        replay(ledger, world.feed, 1, print)


def test_a_replay_that_broke_off_is_told_until_it_went_on(world: World) -> None:
    there, ledger = _there(world), world.folder / "ledger"
    world.publish(_everybody(7))
    world.emit()
    there.taken.clear()

    def down(batch: Batch) -> Sequence[RowError]:
        if batch.number == 2:
            raise DeliveryError("down", is_temporary=False)
        return ()

    there.answer = down
    with pytest.raises(DeliveryError):
        replay(ledger, world.feed, 1, print)
    there.answer = None
    assert world.emit().rows == 0
    now = datetime.now(UTC)
    told = status_of(world.feed, ledger, world.published, now).troubles
    assert "a replay broke off at row 4; it goes on with: muster feed replay segments --from 4" in (
        told
    )
    replay(ledger, world.feed, 4, print)
    assert [row["sequence"] for row in there.taken] == list(range(1, 8))
    assert status_of(world.feed, ledger, world.published, now).troubles == []


def _publish_tiers(world: World) -> None:
    profiles = [(f"p{number}", "gold", "granted") for number in range(3)]
    world.publish_tables(
        {"segment_memberships": [("a", name) for name, *_ in profiles], "profiles": profiles},
        TABLES,
    )


def test_a_replay_has_the_columns_that_the_feed_has_today(tmp_path: Path) -> None:
    world = World(tmp_path)
    there = Told(taken=[])
    world.feed = replace(world.feed, destination=there)
    _publish_tiers(world)
    world.emit()
    with_tier = world.feed.settings.model_copy(update={"columns": {"tier": "tier"}})
    world.feed = replace(world.feed, settings=with_tier)
    assert world.emit().actions == {"update": 3}
    there.taken.clear()
    replay(world.folder / "ledger", world.feed, 1, print)
    assert {tuple(row) for row in there.taken} == {tuple(there.taken[0])}
    assert [row["tier"] for row in there.taken] == [None] * 3 + ["gold"] * 3
    without = world.feed.settings.model_copy(update={"columns": {}})
    world.feed = replace(world.feed, settings=without)
    there.taken.clear()
    replay(world.folder / "ledger", world.feed, 1, print)
    assert "tier" not in there.taken[0]


def test_what_is_gone_from_the_ledger_is_told_before_numbers_are_given_twice(
    tmp_path: Path,
) -> None:
    world, home = World(tmp_path), Settings(tmp_path)
    for size in (2, 3, 4):
        world.publish(_everybody(size))
        emit(home, world.feed)
    folder = world.ledger.folder
    for name, told in (
        ("intents/000000000004.json", "emission 000000000004 arrived, and what it sent is missing"),
        ("intents/000000000003.json", "rows 3 to 3 are missing"),
        ("intents/000000000003.parquet", "000000000003.parquet is missing or damaged"),
        ("look.json", ""),
    ):
        kept = (folder / name).read_bytes()
        (folder / name).unlink()
        assert bool(damaged(world.ledger)) == bool(told)
        if told:
            with pytest.raises(LedgerError, match=told):
                emit(home, world.feed)
        (folder / name).write_bytes(kept)
    for name in ("acknowledgements/000000000003.json", "look.json"):
        kept = (folder / name).read_bytes()
        (folder / name).write_bytes(b"not JSON")
        (words,) = damaged(world.ledger)
        assert name in words and "it is no JSON any more; restore" in words
        (folder / name).write_bytes(kept)
    assert emit(home, world.feed).rows == 0


def test_erasures_that_are_lost_stop_the_feed(tmp_path: Path) -> None:
    world, home = World(tmp_path), Settings(tmp_path)
    world.publish(_everybody(3))
    erase(tmp_path / "ledger", ["p001"], "asked for", "ann")
    assert emit(home, world.feed).rows == 2
    (file,) = (tmp_path / "ledger" / "erasures").glob("*.parquet")
    file.write_bytes(b"no Parquet")
    with pytest.raises(LedgerError, match="erasures: a file is damaged"):
        emit(home, world.feed)
    file.unlink()
    with pytest.raises(LedgerError, match="1 profile ids were erased, and 0 are there"):
        emit(home, world.feed)
    assert world.delivered() and all(row["profile_id"] != "p001" for row in world.delivered())


def test_a_renamed_feed_does_not_take_its_own_place_for_another(tmp_path: Path) -> None:
    world = World(tmp_path)
    there = Told(taken=[], where="table members")
    world.feed = replace(world.feed, destination=there)
    world.publish(_everybody(3))
    world.emit()
    world.feed = replace(world.feed, name="members")
    with pytest.raises(LedgerError, match="feed segments went to the place of feed members"):
        world.emit()
    world.ledger.folder.rename(world.ledger.folder.with_name("members"))
    assert world.emit().rows == 0


def test_full_says_again_who_stayed(tmp_path: Path) -> None:
    world = World(tmp_path, mode="full")
    world.publish(_everybody(3))
    world.emit()
    world.publish(_everybody(2) | {("a", "new")})
    assert world.emit().actions == {"enter": 1, "exit": 1, "update": 2}


def test_schedules(tmp_path: Path) -> None:
    for schedule in ({"every_minutes": 30}, {"cron": "*/30 * * * *"}):
        world = World(tmp_path / next(iter(schedule)), schedule=schedule)
        world.publish(_everybody(1))
        assert _due(world)
        world.emit()
        world.publish(_everybody(2))
        assert _due(world, timedelta(minutes=31))
        assert not _due(world, timedelta(seconds=-1))


def test_damage_in_the_ledger_is_found_before_it_goes_out(world: World) -> None:
    def down(_: Batch) -> Sequence[RowError]:
        raise DeliveryError("down", is_temporary=False)

    there = _there(world)
    there.answer = down
    world.publish(_everybody(2))
    with pytest.raises(DeliveryError):
        world.emit()
    there.answer = None
    path = world.ledger.intent("000000000001")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert [words.split()[0] for words in damaged(world.ledger)] == [str(path)]
    with pytest.raises(LedgerError, match="damaged"):
        world.emit()


def test_a_ledger_that_cannot_be_written_or_is_of_old_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    world.publish(_everybody(2))
    home = Settings(tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "ledger/feeds/segments/intents")

    with monkeypatch.context() as patched:
        patched.setattr(ledger_module, "put_table", full)
        with pytest.raises(LedgerError, match="No space left on device"):
            emit(home, world.feed)
    assert emit(home, world.feed).rows == 2
    (world.ledger.folder / "intents" / "000001.parquet").touch()
    with pytest.raises(LedgerError, match="older version"):
        emit(home, world.feed)


def test_two_feeds_are_not_kept_in_one_place(tmp_path: Path) -> None:
    path = tmp_path / "feeds.yml"
    path.write_text(
        "destinations: {p: {type: postgres, url: 'postgresql://h/d', table: t}}\nfeeds:\n"
        "  a: {of: segments, to: p, consent: email}\n  b: {of: segments, to: p}\n"
    )
    with pytest.raises(FeedError, match=r"line 4: feeds\.b\.to: feeds\.a is kept in the same"):
        load_feeds(path)


def test_a_feed_that_moves_is_filled_by_a_replay(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish(_everybody(3))
    world.emit()
    moved = FilesDestination(type="files", folder=str(tmp_path / "elsewhere"))
    world.feed = Feed("segments", world.feed.settings, "files", moved)
    with pytest.raises(LedgerError, match="replay segments --from 1"):
        world.emit()
    assert replay(tmp_path / "ledger", world.feed, 1, print).rows == 3
    world.publish(_everybody(4))
    assert world.emit().rows == 1
    assert len(list((tmp_path / "elsewhere" / "segments").glob("*/_SUCCESS"))) == 2


def test_a_destination_that_lost_rows_is_told_of_them(world: World) -> None:
    there = _there(world)
    there.knows = 3
    world.publish(_everybody(3))
    world.emit()
    world.publish(_everybody(4))
    there.knows = 2
    with pytest.raises(LedgerError, match="replay segments --from 3"):
        world.emit()
    there.knows = 9
    with pytest.raises(LedgerError, match="not the ledger that fed it"):
        world.emit()
    there.knows = 3
    assert world.emit().repeated == ("000000000004",)


def test_a_damaged_snapshot_is_not_sent(tmp_path: Path) -> None:
    world = World(tmp_path)
    snapshot = world.publish(_everybody(2))
    file = world.published / "snapshots" / snapshot / "segment_memberships.parquet"
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(SnapshotError, match="Nothing is sent from a damaged snapshot"):
        emit(Settings(tmp_path), world.feed)
    with pytest.raises(SnapshotError, match="Nothing is sent from a damaged snapshot"):
        look_ahead(world.feed, world.published, tmp_path / "ledger", 5)


def test_alerts_reach_the_addresses_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUSTER_ALERTS", raising=False)
    assert not alert("Muster: a feed needs a look", ["held"])
    with receiver() as running:
        monkeypatch.setenv("MUSTER_ALERTS", running.url.replace("http://", "json://"))
        assert alert("Muster: a feed needs a look", ["feed segments: held: a holds nobody"])
    (request,) = running.requests
    assert b"a holds nobody" in request.body


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("feeds: {a: {of: segments, to: nowhere}}", "line 2: feeds.a.to: there is no destination"),
        ("feeds: {a: {of: audience, to: files}}", "line 2"),
        ("feeds: {a: {of: segments, to: files, schedule: {cron: daily}}}", "is none: minute hour"),
        ("feeds: {a: {of: campaigns, to: files, consent: email}}", "has no consent"),
        ("feeds: {a: {of: segments, to: files, columns: {sequence: tier}}}", "rename it"),
        ("feeds: {a: {of: campaigns, to: files}, b: {of: campaigns, to: files, channels: [sms]}}",
         "would go out twice"),
        ("feeds: {a: {of: segments, to: files, speed: 3}}", "no such setting"),
        ("feeds: {a: {of: segments, to: files, shedule: {}}}", "did you mean 'schedule'?"),
        ("feeds: {a: {of: segments, to: files, guard: {may_loose: 1}}}", "mean 'may_lose'?"),
        ("feeds: {a: {of: segments, to: file}}", "did you mean 'files'?"),
        ("feeds: [", "no YAML"),
        ("feeds: {a: {of: campaigns, to: files, channels: [emial]}}", "line 2"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_told_with_line_and_cure(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "feeds.yml"
    path.write_text(f"destinations: {{files: {{type: files}}}}\n{text}\n")
    with pytest.raises(FeedError) as error:
        load_feeds(path)
    assert told in str(error.value) and str(path) in str(error.value)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("{type: postgress, url: x}", "did you mean 'postgres'?"),
        ("{type: postgres, url: db.example.com}", "url: is no address such as postgresql://user:"),
        ("{type: redis, url: 'http://cache'}", "(or rediss://, unix://)"),
        ("{type: webhook, url: 'https://'}", "is no address such as https://example.com"),
        ("{type: webhook, url: 'http://a', tabel: x}", "tabel: there is no such setting"),
        ("{type: kafka, broker: 'a:1'}", "did you mean 'brokers'?"),
    ],
)
def test_a_wrong_destination_is_told_before_anything_is_sent(
    tmp_path: Path, entry: str, told: str
) -> None:
    path = tmp_path / "feeds.yml"
    path.write_text(f"destinations:\n  there: {entry}\nfeeds: {{}}\n")
    with pytest.raises(FeedError) as error:
        load_feeds(path)
    assert str(error.value).startswith(f"{path}, line 2: destinations.there: ")
    assert told in str(error.value)


def test_an_address_may_come_from_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "feeds.yml"
    path.write_text("destinations: {there: {type: redis, url: '${CACHE}'}}\nfeeds: {}\n")
    assert load_feeds(path) == {}


def test_names_that_are_not_published_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "feeds.yml"
    path.write_text(
        "destinations: {files: {type: files}}\nfeeds:\n  segments:\n    of: segments\n"
        "    to: files\n    columns: {tier: teir}\n"
    )
    monkeypatch.setenv("MUSTER_FEEDS", str(path))
    world = World(tmp_path / "home", columns={"tier": "teir"})
    world.publish_tables({}, TABLES)
    words = "line 6: feeds.segments.columns: no column of profiles 'teir' is published; did you "
    with pytest.raises(FeedError) as error:
        world.emit()
    assert words in str(error.value) and "'tier'" in str(error.value)
    # Who lists feeds is told before anything is emitted.
    status = status_of(world.feed, world.folder / "ledger", world.published, datetime.now(UTC))
    assert status.troubles == [str(error.value)]


def test_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, columns={"tier": "tier"})
    path = tmp_path / "feeds.yml"
    path.write_text(
        "destinations: {files: {type: files}}\nfeeds:\n  segments:\n    of: segments\n"
        "    to: files\n    columns: {tier: tier}\n"
    )
    monkeypatch.setenv("MUSTER_FEEDS", str(path))
    monkeypatch.setenv("MUSTER_HOME", str(tmp_path))

    def said(command: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["feed", *command.split()])
        assert result.exit_code == code, result.output
        return result.output

    people = [("p1", "basic", "granted"), ("p2", "basic", "granted")]
    world.publish_tables({"segment_memberships": [("a", "p1"), ("a", "p2")],
                          "profiles": people}, TABLES)  # fmt: skip
    assert "2 new rows" in said("emit segments")
    world.publish_tables({"segment_memberships": [("a", "p1"), ("b", "p2")],
                          "profiles": [("p1", "gold", ""), people[1]]}, TABLES)  # fmt: skip
    ahead = said("dry-run segments")
    assert "tier: basic -> gold" in ahead and "exit" in ahead and "Nothing was sent" in ahead
    assert "behind" in said("list")
    assert "3 new rows" in said("emit segments")
    said("pause segments --reason moving")
    assert "paused by" in said("list")
    assert "is paused" in said("emit segments")
    said("resume segments")
    assert "does not hold" in said("release segments a --reason why", 1)
    assert "rows were sent again" in said("replay segments --from 2")
    assert "not yet 99" in said("replay segments --from 99", 1)
    assert "0 dead letters are tried again" in said("retry segments")
    assert "as it was written" in said("status segments --verify")
    assert "there is no feed 'other'" in said("status other", 1)
    assert "no profile is or was called" in said("erase nobody --reason x --yes", 1)
    said("reset segments --yes")
    assert "2 new rows" in said("emit segments")
