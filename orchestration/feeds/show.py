"""How feeds look in the terminal. What they are is said beside."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from orchestration.feeds.definitions import Feed
from orchestration.feeds.dry_run import Ahead
from orchestration.feeds.emitted import Emitted
from orchestration.feeds.erasures import erased
from orchestration.feeds.ledger import Ledger
from orchestration.feeds.refused import refusals
from orchestration.feeds.status import Status
from orchestration.feeds.words import words

_SHOWN_REFUSALS = 20


def _console() -> Any:
    from rich.console import Console

    return Console(highlight=False)


def print_feeds(feeds: Sequence[tuple[Feed, Status]]) -> None:
    """A line for each feed, and what somebody should look at."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("feed", "carries", "to", "when"):
        table.add_column(name)
    for name in ("rows sent", "snapshot", "behind"):
        table.add_column(name, justify="right", no_wrap=True)
    for feed, status in feeds:
        table.add_row(
            feed.name, _carried(feed), feed.destination_name, _when(feed), f"{status.arrived:,}",
            status.look.snapshot_id if status.look else "none",
            _spoken(status.lag) if status.lag else "",
        )  # fmt: skip
    console = _console()
    console.print(table)
    for _, status in feeds:
        for trouble in status.troubles:
            console.print(f"{status.name}: {trouble}", markup=False, soft_wrap=True)


def as_json(feed: Feed, status: Status) -> dict[str, Any]:
    """How a feed stands, for machines; times are UTC."""
    look, failure = status.look, status.failure
    return {
        "feed": feed.name,
        "of": feed.settings.of,
        "to": feed.destination_name,
        "type": feed.destination.type,
        "when": _when(feed),
        "rows_sent": status.arrived,
        "rows_open": status.last_sequence - status.arrived,
        "open_since": status.open_since,
        "refused_rows_waiting": status.waiting,
        "dead_letters": status.dead,
        "looked_at": {"snapshot_id": look.snapshot_id, "at": look.at} if look else None,
        "newest_snapshot_id": status.snapshot_id,
        "lag_seconds": int(status.lag.total_seconds()) if status.lag else 0,
        "is_paused": status.paused is not None,
        "held": dict(look.held) if look else {},
        "next_attempt_at": failure.retry_at if failure else None,
        "troubles": status.troubles,
    }


def print_status(feed: Feed, status: Status, ledger: Ledger) -> None:
    """All of one feed."""
    console = _console()
    look = status.look
    open_rows = status.last_sequence - status.arrived
    gone = erased(ledger.folder.parents[1])
    for label, value in (
        ("carries", _carried(feed)),
        ("to", _to(feed)),
        ("when", _when(feed)),
        ("rows sent", f"{status.arrived:,} in {_many(status.emissions, 'emission')}"),
        ("looked at", f"snapshot {look.snapshot_id} on {look.at}" if look else "nothing yet"),
        ("behind", f"{_spoken(status.lag)}, snapshot {status.snapshot_id}" if status.lag else "no"),
        ("open", f"{open_rows:,} rows since {status.open_since}" if status.open_since else "none"),
        ("refused rows", f"{status.waiting:,} wait for another attempt, {status.dead:,} are dead"),
        ("erased", f"{_many(len(gone), 'profile id')}, never carried again" if gone else "nobody"),
    ):
        console.print(f"{label:14}{value}", markup=False, soft_wrap=True)
    if status.failure:
        console.print(f"{'next attempt':14}{status.failure.retry_at}", markup=False)
    for trouble in status.troubles:
        console.print(f"{'look at':14}{trouble}", markup=False, soft_wrap=True)
    for one in refusals(ledger.folder)[:_SHOWN_REFUSALS]:
        console.print(
            f"{'refused':14}row {one.sequence}, {one.attempts} attempts, {one.state}: {one.reason}",
            markup=False, soft_wrap=True,
        )  # fmt: skip
    for word in words(ledger.folder):
        about = f" {word.about}" if word.about else ""
        why = f": {word.reason}" if word.reason else ""
        console.print(
            f"{'said':14}{word.said_at} {word.said_by}: {word.action}{about}{why}",
            markup=False, soft_wrap=True,
        )  # fmt: skip


def print_emitted(emitted: Emitted) -> None:
    """What one emission brought."""
    console = _console()
    if emitted.paused:
        console.print(f"Feed {emitted.feed} is paused by {emitted.paused.said_by}.", markup=False)
        return
    if emitted.snapshot_id is None:
        console.print("Nothing has been published yet.")
        return
    console.print(
        f"Snapshot {emitted.snapshot_id}, as of {emitted.as_of}: {emitted.rows:,} new rows, up to "
        f"number {emitted.last_sequence:,}.", markup=False, soft_wrap=True,
    )  # fmt: skip
    for title, counts in (("", emitted.actions), ("stopped: ", emitted.stopped),
                          ("waiting: ", emitted.waiting)):  # fmt: skip
        for name, count in sorted(counts.items()):
            console.print(f"  {title}{name} {count:,}", markup=False)
    if emitted.repeated:
        console.print(f"  delivered what was open: {', '.join(emitted.repeated)}", markup=False)
    if emitted.retried and any(emitted.retried):
        console.print(
            f"  refused before and tried again: {emitted.retried.rows:,} arrived, "
            f"{emitted.retried.refused:,} refused once more; see: muster feed status {emitted.feed}"
        )
    if emitted.refused:
        console.print(f"  refused {emitted.refused:,}; see: muster feed status {emitted.feed}")
    for one in emitted.held:
        console.print(
            f"  held: {one.words}; if that is right: muster feed release {emitted.feed} "
            f"{one.audience} --reason WHY", markup=False, soft_wrap=True,
        )  # fmt: skip
    for audience, who in emitted.released.items():
        console.print(f"  released: {audience}, by {who}", markup=False, soft_wrap=True)


def print_ahead(ahead: Ahead) -> None:
    """What the next emission would say."""
    from rich.table import Table

    console = _console()
    console.print(
        f"Feed {ahead.feed} from snapshot {ahead.snapshot_id}, as of {ahead.as_of}. Nothing was "
        "sent.", markup=False, soft_wrap=True,
    )  # fmt: skip
    if ahead.still_open:
        console.print(f"{ahead.still_open:,} rows of an open emission go first.")
    if not ahead.counts:
        console.print("There is nothing new to say.")
    else:
        actions = sorted({action for _, action in ahead.counts})
        table = Table("audience")
        for action in actions:
            table.add_column(action, justify="right")
        for audience in sorted({audience for audience, _ in ahead.counts}):
            counts = [ahead.counts.get((audience, action), 0) for action in actions]
            table.add_row(audience, *(f"{count:,}" if count else "" for count in counts))
        console.print(table)
    for row in ahead.rows:
        told = ", ".join(f"{name} {value}" for name, value in row.items()
                         if value is not None and name not in ("sequence", "action"))  # fmt: skip
        console.print(f"{row['sequence']:>9} {row['action']:6} {told}", markup=False,
                      soft_wrap=True)  # fmt: skip
    for segment, profile, fields in ahead.updates:
        told = ", ".join(f"{name}: {old} -> {new}" for name, (old, new) in fields.items())
        console.print(f"{'':9} update segment {segment}, profile_id {profile}: "
                      f"{told or 'said again'}", markup=False, soft_wrap=True)  # fmt: skip
    for one in ahead.held:
        console.print(f"held: {one.words}", markup=False, soft_wrap=True)
    if ahead.counts:
        console.print("At most so many rows of each action are shown as --rows says.")


def _carried(feed: Feed) -> str:
    settings = feed.settings
    if settings.of == "campaigns":
        return f"messages by {', '.join(settings.channels)}" if settings.channels else "messages"
    told = _many(len(settings.segments), "segment") if settings.segments else "all segments"
    if settings.columns:
        told += ", " + _many(len(settings.columns), "column")
    return f"{told}, who consented to {settings.consent}" if settings.consent else told


def _to(feed: Feed) -> str:
    name, kind = feed.destination_name, feed.destination.type
    return name if name == kind else f"{name} ({kind})"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _when(feed: Feed) -> str:
    schedule = feed.settings.schedule
    if schedule.every_minutes:
        return f"every {schedule.every_minutes} minutes"
    return f"cron {schedule.cron}" if schedule.cron else "each snapshot"


def _spoken(lag: timedelta | None) -> str:
    seconds = int(lag.total_seconds()) if lag else 0
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
