"""The segment feed: who entered, changed or left which audience, told to one destination."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb

from orchestration.feeds.definitions import Feed
from orchestration.feeds.delivery import opened, send
from orchestration.feeds.emitted import Emitted, ledger_of, state_of
from orchestration.feeds.erasures import erased
from orchestration.feeds.ledger import Ledger, LedgerError
from orchestration.feeds.refused import refusals
from orchestration.feeds.segment_rows import changes_since_sent
from orchestration.feeds.state import tidy
from orchestration.feeds.words import paused
from orchestration.publication.snapshot import newest

_BEFORE = ("sequence", "action", "segment", "profile_id", "reason", "merged_into")
_AFTER = ("as_of", "snapshot_id", "idempotency_key")


def emit(
    feed: Feed, published: Path, ledger_root: Path, tell: Callable[[str], None] = print
) -> Emitted:
    """Send what the newest snapshot changes, after what a dead process left open.

    Args:
        feed: a feed of segments.
        published: the folder of snapshots.
        ledger_root: the ledger's folder.
        tell: is told of attempts that failed.

    Raises:
        DeliveryError: the destination took nothing, or not all; the next call goes on there.
        FeedError: the feed names what is not published.
        LedgerError: the ledger is damaged, or of another destination.
        SnapshotError: a file of the snapshot is damaged.
    """
    ledger = ledger_of(feed, ledger_root)
    manifest = newest(published)
    word = paused(ledger.folder)
    if manifest is None or word:
        return Emitted(feed.name, ledger.last_sequence(), paused=word)
    _check_others(feed, ledger_root)
    if ledger.arrived() and ledger.place() not in (None, feed.place):
        raise LedgerError(
            f"feed {feed.name} went to another place before, and this one has none of its "
            f"{ledger.last_sequence():,} rows. To fill it: muster feed replay {feed.name} "
            f"--from 1; to begin anew: muster feed reset {feed.name}"
        )
    ledger.placed(feed.place)
    waiting = refusals(ledger.folder, ("waiting",))
    repeated = _finish(feed, ledger, tell)
    state = state_of(feed, ledger_root, manifest)
    with duckdb.connect() as connection:
        changes = changes_since_sent(connection, feed, manifest, published, ledger)
    sent = send(feed, ledger, changes.rows, waiting, tell)
    held = {one.audience: one.reason for one in changes.held}
    ledger.looked(state, manifest.snapshot_id, len(erased(ledger_root)), held)
    tidy(ledger)
    return Emitted(
        feed.name,
        ledger.last_sequence(),
        sent.header.emission_id if sent.header else None,
        Counter(changes.rows["action"].to_pylist()),
        sent.refused,
        sent.retried,
        repeated,
        changes.held,
        changes.released,
        snapshot_id=manifest.snapshot_id,
        as_of=manifest.as_of,
    )


def _check_others(feed: Feed, ledger_root: Path) -> None:
    """No feed of the past, which may be this one under another name, has rows in its place."""
    if not feed.destination.place(feed.name):
        return  # it holds nothing that another could take away
    for folder in sorted((ledger_root / "feeds").glob("*/place.json")):
        other = Ledger(folder.parent, feed.key)
        if other.feed != feed.name and other.place() == feed.place and other.arrived():
            raise LedgerError(
                f"feed {other.feed} went to the place of feed {feed.name} before, and its rows are "
                f"there. If it is the same feed under another name, move all in {other.folder} "
                f"into {feed.name} beside it, and remove it; if not, give this one a place of its "
                "own"
            )


def columns(feed: Feed) -> list[str]:
    """The columns of a feed's rows, in order."""
    return [*_BEFORE, *feed.settings.columns, *_AFTER]


def _finish(feed: Feed, ledger: Ledger, tell: Callable[[str], None]) -> tuple[str, ...]:
    """Deliver what is open."""
    still_open = ledger.unacknowledged()
    if still_open:
        with opened(feed, ledger, columns(feed), tell) as delivery:
            for header in still_open:
                delivery.emission(header)
    return tuple(header.emission_id for header in still_open)
