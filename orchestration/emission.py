"""Emits a feed, whatever it carries; one process at a time for each feed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestration.campaigns.emission import emit_campaigns
from orchestration.connectors.locks import exclusive
from orchestration.feeds import segment_feed
from orchestration.feeds.definitions import Feed
from orchestration.feeds.emitted import Emitted, check_ledger
from orchestration.feeds.ledger import LedgerError
from orchestration.publication.snapshot import repair_current
from orchestration.resources.settings import Settings


@contextmanager
def alone(feed: Feed, ledger: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """No other process emits, replays or resets the feed meanwhile; waits for one that does."""
    folder = ledger / "feeds" / feed.name
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive(folder / "lock", f"feed {feed.name}", tell):
        yield


def emit(settings: Settings, feed: Feed, tell: Callable[[str], None] = print) -> Emitted:
    """Send what is new, after what was left open.

    Args:
        settings: where everything is.
        feed: any feed.
        tell: is told of attempts that failed, and of waiting for another process.

    Raises:
        DeliveryError: the destination took nothing, or not all; the next call goes on there.
        FeedError: the feed names what is not published.
        LedgerError: the ledger is damaged, cannot be written, or is of another destination.
        SnapshotError: a file of the newest snapshot is missing or damaged.
        WarehouseError: a campaign feed, while a build writes the warehouse.
    """
    try:
        with alone(feed, settings.ledger, tell):
            check_ledger(feed, settings.ledger)
            repair_current(settings.published)
            if feed.settings.of == "campaigns":
                return emit_campaigns(settings, feed, tell)
            return segment_feed.emit(feed, settings.published, settings.ledger, tell)
    except OSError as error:  # such as a full disk; a destination's own are DeliveryErrors
        raise LedgerError(
            f"{error.filename or settings.ledger}: {error.strerror or error}; what is written down "
            "goes out with the next emission, and nothing else was sent"
        ) from None
