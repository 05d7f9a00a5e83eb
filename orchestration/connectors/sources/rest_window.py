"""Which records of an endpoint are new: its cursor, the overlap, and records seen before.

The cursor is the newest change seen, but never later than the beginning of the pull: a record that
changes behind the reader's back, on a page already read, is asked for again. What the overlap
brings a second time is known by its hash and dropped.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from orchestration.connectors.sources.base import Cursor, SourceError
from orchestration.connectors.sources.rest_definition import at

REMEMBERED = 5_000  # hashes in a cursor; more of an overlap lands again, which staging drops
_PULL_HASHES = 200_000  # within one pull
_IDLE_PAGES = 100
_MILLISECONDS_FROM = 1e11  # as seconds, the year 5138


def moment(value: Any) -> datetime | None:
    """A record's time: ISO 8601 (UTC where it names no offset), or seconds or ms since 1970."""
    try:
        if isinstance(value, str) and not value.isdigit():
            found = datetime.fromisoformat(value)
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        number = float(value)
        seconds = number / 1000 if number >= _MILLISECONDS_FROM else number
        return datetime.fromtimestamp(seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def as_json(record: Any) -> str:
    """The record as JSON text; the same whatever the order of its keys."""
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair cannot be stored, but its escape can
        text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return text


class Window:
    """One pull of one endpoint: drops what is known and makes the next cursor."""

    def __init__(self, cursor: Cursor | None, changed: str, overlap_minutes: float) -> None:
        self.changed = changed
        self.overlap = timedelta(minutes=overlap_minutes)
        self.value = moment((cursor or {}).get("value"))
        self.newest: datetime | None = None
        self.began: datetime | None = None
        self.before: dict[str, float] = (cursor or {}).get("seen", {})
        self.recent: dict[str, float] = {}  # hashes of this pull, to their moments
        self.candidates: dict[str, float] = {}  # those that the next cursor may remember
        self.new_records = 0
        self.idle_pages = 0

    @property
    def since(self) -> datetime | None:
        """The moment from which changes are asked; None for all."""
        return self.value - self.overlap if self.value and self.changed else None

    def new(self, records: Sequence[Any], answered_at: datetime) -> list[Any]:
        """The records of a page that neither this pull nor the last one has seen.

        Raises:
            SourceError: page after page brings nothing that this pull has not seen.
        """
        self.began = self.began or answered_at
        fresh, repeated = [], 0
        for record in records:
            digest = blake2b(as_json(record).encode(), digest_size=12).hexdigest()
            changed_at = moment(at(record, self.changed)) if self.changed else None
            if digest in self.recent:
                repeated += 1
                continue
            self._remember(digest, changed_at)
            if digest in self.before or (changed_at and self.since and changed_at < self.since):
                continue
            fresh.append(record)
        self.idle_pages = self.idle_pages + 1 if repeated == len(records) else 0
        if self.idle_pages >= _IDLE_PAGES:
            raise SourceError(
                f"{_IDLE_PAGES} pages in a row brought nothing new: paging goes in circles; "
                "compare `paging` with the API's documentation"
            )
        self.new_records += len(fresh)
        return fresh

    def _remember(self, digest: str, changed_at: datetime | None) -> None:
        seconds = changed_at.timestamp() if changed_at else 0.0
        self.recent[digest] = seconds
        if len(self.recent) > _PULL_HASHES:
            del self.recent[next(iter(self.recent))]
        if changed_at and (self.newest is None or changed_at > self.newest):
            self.newest = changed_at
        self.candidates[digest] = seconds
        if len(self.candidates) > 2 * REMEMBERED:
            self.candidates = _newest(self.candidates)

    def cursor(self) -> Cursor:
        """Where the next pull begins, and what it will see again."""
        if not self.changed:
            return {"seen": _newest(self.candidates)}
        reached = min(filter(None, (self.newest, self.began)), default=None)
        value = max(filter(None, (reached, self.value)), default=None)
        since = (value - self.overlap).timestamp() if value else 0.0
        kept = {
            digest: seconds
            for digest, seconds in {**self.before, **self.candidates}.items()
            if seconds >= since
        }
        return {"value": value.isoformat() if value else None, "seen": _newest(kept)}


def _newest(hashes: dict[str, float]) -> dict[str, float]:
    ordered = sorted(hashes.items(), key=lambda item: item[1], reverse=True)
    return dict(ordered[:REMEMBERED])
