"""What people said of a feed: pause, resume, release, reset. Nothing is ever edited.

One small file for each word in a folder of the feed's ledger. What follows from a word is decided
where it is asked for.
"""

import getpass
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.publication.append import append_rows, last_record


class WordError(ValueError):
    """It is so already, or not at all; the message says it."""


@dataclass(frozen=True)
class Word:
    """One word: who said what about what, why, and at which sequence of the feed."""

    action: str
    about: str
    reason: str
    said_by: str
    said_at: str
    sequence: int


def say(feed: Path, action: str, reason: str, sequence: int, about: str = "") -> None:
    """Write down a word at the clock's time, in the name of who runs this.

    Args:
        feed: the feed's folder in the ledger.
        action: `pause`, `resume`, `release` or `reset`.
        reason: why; may be empty.
        sequence: the feed's last one.
        about: the audience, of a release.

    Raises:
        WordError: the feed is paused already, or not paused.
    """
    if action in ("pause", "resume") and (paused(feed) is not None) == (action == "pause"):
        state = "paused already" if action == "pause" else "not paused"
        raise WordError(f"feed {feed.name} is {state}")
    row = {"action": action, "about": about, "reason": reason, "said_by": who(),
           "sequence": sequence}  # fmt: skip
    append_rows(feed / "words", [row])


def words(feed: Path) -> list[Word]:
    """Every word on a feed, oldest first."""
    folder = feed / "words"
    if not last_record(folder).number:
        return []
    rows = duckdb.sql(
        f"""select action, about, reason, said_by,
            strftime(recorded_at, '%Y-%m-%dT%H:%M:%SZ'), sequence
        from read_parquet('{folder}/*.parquet') order by number"""
    ).fetchall()
    return [Word(*row) for row in rows]


def paused(feed: Path) -> Word | None:
    """The word that paused a feed; None if it goes on."""
    said = [word for word in words(feed) if word.action in ("pause", "resume")]
    return said[-1] if said and said[-1].action == "pause" else None


def reset_at(feed: Path) -> int:
    """The feed's last sequence when its consumer was last told to forget all; 0 if never."""
    return max((word.sequence for word in words(feed) if word.action == "reset"), default=0)


def released(feed: Path, after: int) -> dict[str, Word]:
    """Audiences that somebody let go out although a guard held them, since a sequence."""
    return {
        word.about: word
        for word in words(feed)
        if word.action == "release" and word.sequence >= after
    }


def who() -> str:
    """The name of the user who runs this."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"
