"""How a feed stands, read from its ledger, and whether it is due. Nothing is changed here."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from orchestration.feeds.definitions import Feed, FeedError
from orchestration.feeds.emitted import check_ledger, ledger_of, state_of
from orchestration.feeds.ledger import Failure, LedgerError, Look
from orchestration.feeds.names import check_names
from orchestration.feeds.refused import refusals
from orchestration.feeds.words import Word, paused
from orchestration.publication.manifest import newest, published_at

# A row that was refused is tried again by a sensor after so long, even if nothing else is new.
RETRY_REFUSED = timedelta(minutes=10)


@dataclass(frozen=True)
class Status:
    """How a feed stands.

    Attributes:
        last_sequence: of the newest row that was written down.
        arrived: the sequence up to which rows were delivered, refused ones among them.
        lag: how long the newest snapshot has not been looked at; None if it was.
        open_since: when the oldest emission was written that is not acknowledged.
        broken_replay: the sequence at which a replay did not go on.
        wrong: names that are not published, or damage of the ledger, in words.
        waiting: rows that were refused and will be tried again.
        dead: rows that were refused and will not.
    """

    name: str
    last_sequence: int
    arrived: int
    emissions: int
    look: Look | None
    snapshot_id: str | None
    lag: timedelta | None
    open_since: str | None
    waiting: int
    dead: int
    failure: Failure | None
    paused: Word | None
    wrong: tuple[str, ...]
    broken_replay: int | None
    late_after: timedelta

    @property
    def troubles(self) -> list[str]:
        """What somebody should look at, in words; the same words while it stays so."""
        told = []
        if self.paused:
            told.append(f"paused by {self.paused.said_by} since {self.paused.said_at}")
        told += self.wrong
        if self.broken_replay:
            told.append(
                f"a replay broke off at row {self.broken_replay}; it goes on with: muster feed "
                f"replay {self.name} --from {self.broken_replay}"
            )
        if self.failure:
            told.append(f"cannot be delivered: {self.failure.message}")
        for audience, why in (self.look.held if self.look else {}).items():
            cure = f"muster feed release {self.name} {audience} --reason WHY"
            told.append(f"held: {audience} {why}; if that is right: {cure}")
        if self.dead:
            told.append(f"dead letters: {self.dead:,}; see: muster feed status {self.name}")
        if self.lag and self.lag > self.late_after:
            told.append(f"snapshot {self.snapshot_id} is not emitted yet, and it is late")
        return told


def status_of(feed: Feed, ledger_root: Path, published: Path, now: datetime) -> Status:
    """How a feed stands.

    Args:
        feed: any feed.
        ledger_root: the ledger's folder.
        published: the folder of snapshots.
        now: the clock, UTC with its zone.

    Raises:
        SnapshotError: a file of the newest snapshot is missing.
    """
    ledger = ledger_of(feed, ledger_root)
    manifest = newest(published)
    look = ledger.look()
    lag, wrong = None, []
    try:
        check_ledger(feed, ledger_root)
        if manifest:
            check_names(feed, published, manifest)
    except (FeedError, LedgerError) as error:
        wrong.append(str(error))
    if manifest and (look is None or look.snapshot_id != manifest.snapshot_id):
        lag = max(now - published_at(published, manifest.snapshot_id), timedelta(0))
    still_open = ledger.unacknowledged()
    refused = refusals(ledger.folder)
    return Status(
        feed.name,
        ledger.last_sequence(),
        ledger.arrived(),
        sum(1 for _ in ledger.all_emissions()),
        look,
        manifest.snapshot_id if manifest else None,
        lag,
        still_open[0].created_at if still_open else None,
        sum(one.state == "waiting" for one in refused),
        sum(one.state == "dead" for one in refused),
        ledger.failure(),
        paused(ledger.folder),
        tuple(wrong),
        ledger.broken_replay(),
        timedelta(minutes=feed.settings.late_after_minutes),
    )


def due(feed: Feed, ledger_root: Path, published: Path, now: datetime) -> str:
    """What a feed has to send now, as a text that is the same while it is the same; or empty.

    Args:
        feed: any feed.
        ledger_root: the ledger's folder.
        published: the folder of snapshots.
        now: the clock, UTC with its zone.
    """
    ledger = ledger_of(feed, ledger_root)
    manifest = newest(published)
    if manifest is None or paused(ledger.folder):
        return ""
    failure, look = ledger.failure(), ledger.look()
    if failure:
        is_rested = now >= _moment(failure.retry_at)
        return f"{failure.count} attempts failed" if is_rested else ""
    if ledger.unacknowledged():
        return "an emission is open"
    if look and not _is_time(feed, _moment(look.at), now):
        return ""
    state = state_of(feed, ledger_root, manifest)
    if look and look.state == state:
        is_rested = now >= _moment(look.at) + RETRY_REFUSED
        is_waiting = is_rested and refusals(ledger.folder, ("waiting",))
        return f"refused rows wait since {look.at}" if is_waiting else ""
    return state


def _is_time(feed: Feed, last: datetime, now: datetime) -> bool:
    schedule = feed.settings.schedule
    if schedule.every_minutes:
        return now >= last + timedelta(minutes=schedule.every_minutes)
    if schedule.cron:
        from croniter import croniter

        following: datetime = croniter(schedule.cron, last).get_next(datetime)
        return now >= following
    return True


def _moment(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)
