"""What one look of a feed brought, for whoever asked for it: Dagster, the terminal, a test."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from orchestration.feeds.definitions import Feed, load_feeds
from orchestration.feeds.delivery import Arrived
from orchestration.feeds.erasures import erased
from orchestration.feeds.guard import Held
from orchestration.feeds.ledger import Ledger, LedgerError
from orchestration.feeds.whole import check
from orchestration.feeds.words import Word, words
from orchestration.publication.append import last_record
from orchestration.publication.snapshot import Manifest


@dataclass(frozen=True)
class Emitted:
    """What one look brought.

    Attributes:
        emission_id: None if there was nothing to send.
        actions: rows by action.
        refused: new rows that the destination refused; they are tried again.
        retried: rows refused before that were tried again, and arrived or were refused once more.
        repeated: emissions of a dead process, or of one that failed, delivered now.
        held: audiences that a guard holds back.
        released: audiences that somebody let go out all the same, with who.
        stopped: messages by reason that will never go out.
        waiting: messages by reason that may go out later.
        paused: the word that keeps the feed from emitting anything.
    """

    feed: str
    last_sequence: int
    emission_id: str | None = None
    actions: Mapping[str, int] = field(default_factory=dict)
    refused: int = 0
    retried: Arrived | None = None
    repeated: tuple[str, ...] = ()
    held: tuple[Held, ...] = ()
    released: Mapping[str, str] = field(default_factory=dict)
    stopped: Mapping[str, int] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    paused: Word | None = None
    snapshot_id: str | None = None
    as_of: str | None = None

    @property
    def rows(self) -> int:
        """How many rows went out that had not been sent before."""
        return sum(self.actions.values())


def ledger_of(feed: Feed, ledger: Path) -> Ledger:
    """A feed's ledger in the ledger's folder."""
    return Ledger(ledger / "feeds" / feed.name, feed.key)


def check_ledger(feed: Feed, ledger: Path) -> None:
    """See that a feed can go on from its ledger.

    Raises:
        LedgerError: a file of it is damaged or gone; or of the persons who were erased.
    """
    own = ledger_of(feed, ledger)
    check(own)
    if feed.settings.of == "campaigns" and not own.last_sequence():
        _check_renamed(feed, ledger)
    look, known = own.look(), len(erased(ledger))
    if look and known < look.erased:
        raise LedgerError(
            f"{ledger / 'erasures'}: {look.erased} profile ids were erased, and {known} are there; "
            "restore the folder from a backup, or they would be carried again"
        )


def _check_renamed(feed: Feed, ledger: Path) -> None:
    """Under another name, and without its ledger, a feed would send every message again."""
    import duckdb

    declared = load_feeds()
    for folder in sorted((ledger / "feeds").glob("*/intents")):
        other = Ledger(folder.parent, feed.key)
        history = None if other.feed in declared else other.history()
        if history and "decision_id" in duckdb.sql(f"from {history} limit 0").columns:
            raise LedgerError(
                f"feed {other.feed} sent messages and is not in feeds.yml any more; feed "
                f"{feed.name} would send them again. If it is the same feed under another name, "
                f"move all in {other.folder} into {feed.name} beside it, and remove it; if not, "
                "move that folder away"
            )


def state_of(feed: Feed, ledger: Path, manifest: Manifest) -> str:
    """All that decides what a feed would send; while it is the same, nothing new can be sent."""
    import hashlib

    said = len(words(ledger / "feeds" / feed.name))
    settings = feed.settings.model_dump_json(exclude={"schedule", "description", "owner"})
    digest = hashlib.sha256(settings.encode()).hexdigest()[:8]
    state = f"snapshot {manifest.snapshot_id}, {said} words, settings {digest}"
    if feed.settings.of == "campaigns":
        state += f", {last_record(ledger / 'campaign_pauses').number} pauses"
    gone = len(erased(ledger))
    return f"{state}, {gone} erased" if gone else state


def moment_of(manifest: Manifest) -> datetime:
    """A snapshot's as_of, in UTC without a zone."""
    return datetime.fromisoformat(manifest.as_of).replace(tzinfo=None)
