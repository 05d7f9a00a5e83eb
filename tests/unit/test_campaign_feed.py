"""The campaign feed on the sample: each message once, and none that does not hold any more."""

import csv
import dataclasses
import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.campaigns import definitions
from orchestration.campaigns import emission as gates
from orchestration.campaigns.names import CampaignError
from orchestration.campaigns.pauses import say
from orchestration.connectors.destinations.base import Batch, RowError
from orchestration.connectors.destinations.files import FilesSession
from orchestration.connectors.sources.file_drop import land_inbox
from orchestration.emission import emit
from orchestration.feeds.definitions import feed_named
from orchestration.feeds.emitted import Emitted, ledger_of
from orchestration.feeds.erasures import erase
from orchestration.feeds.ledger import Ledger, LedgerError
from orchestration.feeds.refused import refusals
from orchestration.resources.settings import Settings

AFTER_THE_BUILD = (
    "2026-11-01T00:00:00.000Z"  # the build's moment: the first that it did not look at
)


FEED = "campaigns"


class CrashError(Exception):
    """The process dies here."""


@pytest.fixture
def home(sample_copy: Settings) -> Settings:
    """The sample, built, of which no message went out."""
    shutil.rmtree(sample_copy.feeds / FEED, ignore_errors=True)
    shutil.rmtree(sample_copy.ledger / "feeds" / FEED, ignore_errors=True)
    return sample_copy


def emit_campaigns(home: Settings, now: datetime | None = None) -> Emitted:
    return gates.emit_campaigns(home, feed_named(FEED), print, now)


def _told(home: Settings) -> list[dict[str, object]]:
    folder = home.feeds / FEED
    return [
        json.loads(line)
        for path in sorted(folder.glob("*/part-*.jsonl"))
        for line in path.read_text().splitlines()
    ]


def _decided(home: Settings) -> list[tuple[str, str, str, str]]:
    """Decision, campaign, profile and channel of each message that the build decided."""
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        return connection.execute(
            """select decision_id, campaign, profile_id, channel from campaigns.campaign_decided
            where decision = 'send' order by 1"""
        ).fetchall()


def _email_of(home: Settings, profile: str) -> str:
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        row = connection.execute(
            """select contact_point from intermediate.int_profile_channels
            where profile_id = ? and channel = 'email'""",
            [profile],
        ).fetchone()
    assert row
    return str(row[0])


def _land(home: Settings, source: str, entity: str, row: dict[str, str]) -> None:
    """A record that lands after the build."""
    path = home.inbox / source / entity / "later.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, row)
        writer.writeheader()
        writer.writerow(row)
    assert land_inbox(home.inbox, home.landing, home.dlt, source).load_id


def test_each_message_goes_out_once_with_its_words(home: Settings) -> None:
    first = emit_campaigns(home)
    again = emit_campaigns(home)
    told = _told(home)
    assert sorted(str(row["decision_id"]) for row in told) == [row[0] for row in _decided(home)]
    assert first.rows == len(told) == first.last_sequence > 50
    assert again.emission_id is None
    assert (again.rows, again.stopped, again.waiting, again.repeated) == (0, {}, {}, ())
    assert again.last_sequence == first.last_sequence
    assert [row["sequence"] for row in told] == list(range(1, len(told) + 1))
    assert len({row["idempotency_key"] for row in told}) == len(told)
    assert {row["action"] for row in told} == {"send"}
    for row in told:
        assert row["body"]
        assert bool(row["preview"]) == (row["channel"] == "email")


def test_a_renamed_feed_sends_nothing_again(home: Settings) -> None:
    emit_campaigns(home)
    told = _told(home)
    ledger = home.ledger / "feeds" / FEED
    ledger.rename(ledger.with_name("letters"))
    with pytest.raises(LedgerError, match="campaigns would send them again"):
        emit(home, feed_named(FEED))
    assert _told(home) == told
    shutil.copytree(ledger.with_name("letters"), ledger, dirs_exist_ok=True)
    shutil.rmtree(ledger.with_name("letters"))
    assert emit(home, feed_named(FEED)).rows == 0


def test_consent_withdrawn_after_the_build_stops_its_message(home: Settings) -> None:
    decision, _, profile, _ = next(row for row in _decided(home) if row[3] == "email")
    _land(home, "crm", "consents", {
        "consent_id": "later-1", "contact_id": "", "email": _email_of(home, profile),
        "channel": "email", "purpose": "marketing", "status": "withdrawn", "source": "link",
        "occurred_at": AFTER_THE_BUILD,
    })  # fmt: skip
    emission = emit_campaigns(home)
    stopped = {one[0] for one in _decided(home) if one[2] == profile and one[3] == "email"}
    assert decision in stopped
    assert emission.stopped == {"no_consent": len(stopped)}
    assert {row["decision_id"] for row in _told(home)} == {
        row[0] for row in _decided(home) if row[0] not in stopped
    }
    # For good, though nothing is said of it again.
    assert emit_campaigns(home).rows == 0


def test_an_order_after_the_build_stops_what_was_meant_to_bring_it(home: Settings) -> None:
    decision, _, profile, _ = next(
        row for row in _decided(home) if row[1] == "browse_reminder" and row[3] == "email"
    )
    _land(home, "shop", "orders", {
        "order_id": "later-1", "customer_id": "", "email": _email_of(home, profile), "phone": "",
        "channel": "store", "status": "completed", "cart_id": "", "currency": "EUR",
        "total": "10.00", "discount": "0.00", "country": "DE", "ordered_at": AFTER_THE_BUILD,
        "updated_at": AFTER_THE_BUILD,
    })  # fmt: skip
    emission = emit_campaigns(home)
    assert emission.stopped.get("converted", 0) >= 1
    assert decision not in {row["decision_id"] for row in _told(home)}


def test_a_pause_holds_what_is_about_to_go_out(home: Settings) -> None:
    campaign = _decided(home)[0][1]
    many = sum(row[1] == campaign for row in _decided(home))
    say(home.ledger, campaign, "pause", "wrong price")
    emission = emit_campaigns(home)
    assert emission.waiting == {"paused": many}
    assert campaign not in {row["campaign"] for row in _told(home)}
    say(home.ledger, campaign, "resume")
    assert emit_campaigns(home).rows == many
    assert len(_told(home)) == len(_decided(home))


def test_a_wrong_policy_holds_everything_and_fails_nothing(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(_: Path) -> None:
        raise CampaignError("policy.yml, line 1: wrong")

    with monkeypatch.context() as patched:
        patched.setattr(definitions, "load_campaigns", wrong)
        emission = emit_campaigns(home)
    assert emission.waiting == {"at fault": len(_decided(home))}
    assert emission.rows == 0
    assert emit_campaigns(home).rows == len(_decided(home))


def test_what_expired_while_it_waited_is_stopped(home: Settings) -> None:
    emission = emit_campaigns(home, datetime.now(UTC) + timedelta(days=400))
    assert emission.stopped.get("expired", 0) > 0
    told = {row["decision_id"]: row for row in _told(home)}
    assert all(row["expires_at"] is None for row in told.values())


def test_what_the_ledger_does_not_know_is_not_sent(home: Settings) -> None:
    """As after a build that looks back: it is published, and leaves no trace."""
    shutil.rmtree(home.ledger / "campaign_decisions")
    assert emit_campaigns(home).rows == 0


@pytest.mark.parametrize("place", ["delivery", "acknowledgement"])
def test_a_dead_process_loses_nothing_and_sends_nothing_twice(
    home: Settings, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def die(*_: object) -> list[Path]:
        raise CrashError

    with monkeypatch.context() as patched:
        if place == "delivery":
            patched.setattr(FilesSession, "deliver", die)
        else:
            patched.setattr(Ledger, "acknowledge", die)
        with pytest.raises(CrashError):
            emit_campaigns(home)
    # Meanwhile one campaign is stopped: of it nothing goes out, under the same keys.
    campaign = _decided(home)[0][1]
    say(home.ledger, campaign, "pause")
    emission = emit_campaigns(home)
    told = _told(home)
    assert emission.repeated == ("000000000001",)
    assert [row["sequence"] for row in told] == list(range(1, len(_decided(home)) + 1))
    for row in told:
        assert row["action"] == ("cancel" if row["campaign"] == campaign else "send")
        assert (row["body"] is None) == (row["action"] == "cancel")
    assert emit_campaigns(home).rows == 0


def test_a_refused_message_is_asked_about_again_before_it_is_tried_again(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has not gone out, so a pause, a withdrawn consent and an erasure count for it, too."""
    by_mail = [one for one in _decided(home) if one[3] == "email"]
    withdrawn = by_mail[0]
    paused = next(one for one in by_mail if one[1] != withdrawn[1] and one[2] != withdrawn[2])
    gone = next(
        one for one in by_mail
        if one[1] != paused[1] and one[2] not in (withdrawn[2], paused[2])
    )  # fmt: skip
    others = {withdrawn[2], paused[2], gone[2]}
    fine = next(one for one in by_mail if one[1] != paused[1] and one[2] not in others)
    chosen = {one[0] for one in (withdrawn, paused, gone, fine)}

    def refuse(_: FilesSession, batch: Batch) -> list[RowError]:
        return [RowError(row["sequence"], "busy")
                for row in batch.rows.to_pylist() if row["decision_id"] in chosen]  # fmt: skip

    with monkeypatch.context() as patched:
        patched.setattr(FilesSession, "deliver", refuse)
        assert emit_campaigns(home).refused == len(chosen)
    _land(home, "crm", "consents", {
        "consent_id": "later-2", "contact_id": "", "email": _email_of(home, withdrawn[2]),
        "channel": "email", "purpose": "marketing", "status": "withdrawn", "source": "link",
        "occurred_at": AFTER_THE_BUILD,
    })  # fmt: skip
    say(home.ledger, paused[1], "pause")
    erase(home.ledger, [gone[2]], "asked for", "a test")
    tried: list[tuple[str, str]] = []

    def take(_: FilesSession, batch: Batch) -> list[RowError]:
        tried.extend((row["action"], row["decision_id"]) for row in batch.rows.to_pylist())
        return []

    monkeypatch.setattr(FilesSession, "deliver", take)
    emission = emit_campaigns(home)
    assert {one for action, one in tried if action == "send"} == {fine[0]}
    assert ("erase", gone[0]) in tried
    assert emission.stopped["no_consent"] == 1
    ledger = ledger_of(feed_named(FEED), home.ledger)
    assert len(refusals(ledger.folder, ("waiting",))) == sum(
        one[0] in chosen and one[1] == paused[1] for one in _decided(home)
    )
    # When the campaign goes on, its message is tried, once.
    say(home.ledger, paused[1], "resume")
    tried.clear()
    emit_campaigns(home)
    assert [one for action, one in tried if action == "send"] == [paused[0]]


def test_what_is_known_to_have_arrived_is_not_cancelled(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver = FilesSession.deliver

    def take_one_batch(session: FilesSession, batch: Batch) -> Sequence[RowError]:
        if batch.number > 1:
            raise CrashError
        return deliver(session, batch)

    feed = feed_named(FEED)
    small = dataclasses.replace(
        feed, settings=feed.settings.model_copy(update={"batch_rows": 10})
    )  # fmt: skip
    with monkeypatch.context() as patched:
        patched.setattr(FilesSession, "deliver", take_one_batch)
        with pytest.raises(CrashError):
            gates.emit_campaigns(home, small)
    for campaign in {one[1] for one in _decided(home)}:
        say(home.ledger, campaign, "pause")
    emission = gates.emit_campaigns(home, small)
    told = _told(home)
    assert [row["action"] for row in told] == ["send"] * 10 + ["cancel"] * (len(told) - 10)
    assert emission.stopped == {"paused": len(told) - 10}
