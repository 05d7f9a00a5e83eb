"""Records of an endpoint as rows: each as JSON text beside its moment of change, and each once.

Pages that shift or repeat while they are read bring a record twice; which records an earlier pull
has landed is known to `overlap.py`.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from orchestration.connectors.sources.base import SourceError
from orchestration.connectors.sources.rest_definition import at

if TYPE_CHECKING:
    import pyarrow as pa

JSON_TEXT = "_record"  # the column's name, which no dotted path of a record is likely to have
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


def as_text(when: datetime) -> str:
    """A moment in UTC as a database writes it; texts of this form sort by time."""
    return when.isoformat(sep=" ", timespec="microseconds").removesuffix(":00")


def as_json(record: Any) -> str:
    """The record as JSON text; the same whatever the order of its keys."""
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair cannot be stored, but its escape can
        text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return text


class Distinct:
    """The records of one download, page by page, without those that it brought before."""

    def __init__(self, changed: str) -> None:
        import pyarrow as pa

        self.changed = changed
        names = [JSON_TEXT, changed] if changed else [JSON_TEXT]
        self.schema = pa.schema([(name, pa.string()) for name in names])
        self.recent: dict[bytes, None] = {}  # in the order in which they came
        self.idle_pages = 0

    def __call__(self, records: Sequence[Any]) -> "pa.Table":
        """A page as a table: `JSON_TEXT` and, under its path, the moment of change if there is one.

        Raises:
            SourceError: page after page brings nothing that came before.
        """
        import pyarrow as pa

        texts: list[str] = []
        moments: list[str | None] = []
        for record in records:
            text = as_json(record)
            digest = blake2b(text.encode(), digest_size=12).digest()
            if digest in self.recent:
                continue
            self.recent[digest] = None
            texts.append(text)
            changed_at = moment(at(record, self.changed)) if self.changed else None
            moments.append(as_text(changed_at) if changed_at else None)
        while len(self.recent) > _PULL_HASHES:
            del self.recent[next(iter(self.recent))]
        self.idle_pages = 0 if texts else self.idle_pages + 1
        if self.idle_pages >= _IDLE_PAGES:
            raise SourceError(
                f"{_IDLE_PAGES} pages in a row brought nothing new: paging goes in circles; "
                "compare `paging` with the API's documentation"
            )
        columns = [texts, moments] if self.changed else [texts]
        return pa.table([pa.array(column, pa.string()) for column in columns], self.schema)
