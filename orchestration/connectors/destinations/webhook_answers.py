"""What the answers of a webhook mean: taken, refused, again later, or some rows refused.

What a receiver says may hold a person's data, so no more of it is kept than a short preview, in
which addresses, numbers and values of the row are masked.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from orchestration.connectors.destinations.base import DeliveryError, RowError
from orchestration.connectors.secrets import scrubbed

if TYPE_CHECKING:
    from requests import Response

_TEMPORARY = {408, 409, 425, 429}  # 409: the same key is being worked on
_CURES = {
    400: "it does not understand the body; see docs/destinations.md for its form",
    401: "it refuses the credential; check headers, secret and the environment",
    403: "it refuses the credential; check headers, secret and the environment",
    404: "there is nothing at that address; check url",
    405: "it takes no POST; check url",
    410: "the address was given up; ask its owner for the new one",
    413: "the body is too large; lower batch_rows",
    415: "it takes no JSON; check url",
    422: "it does not take the rows as they are; `errors` can tell which",
}
_PREVIEW = 80
_SHORTEST_VALUE = 3
# An address, or at least five digits, with what people put between them.
_PERSONAL = re.compile(r"[^\s@\"'<>]+@[^\s@\"'<>]+|\+?\d(?:[\s().\-/]?\d){4,}")


def judge(answer: "Response", host: str) -> None:
    """Raises DeliveryError unless the answer is a 2xx."""
    status = answer.status_code
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise DeliveryError(
            f"webhook: {host} answered {status}, it has moved; set url to its new address",
            is_temporary=False,
        )
    is_temporary = status in _TEMPORARY or status >= 500
    cure = _CURES.get(status, "" if is_temporary else "ask its owner what it expects")
    raise DeliveryError(
        f"webhook: {host} answered {status}{'; ' + cure if cure else ''}",
        is_temporary=is_temporary,
        retry_after=retry_after(answer.headers.get("Retry-After")) if is_temporary else None,
    )


def retry_after(value: str | None) -> float | None:
    """Seconds to wait, from seconds or a date (RFC 9110, 10.2.3); None if it is neither."""
    if value is None:
        return None
    if re.fullmatch(r"\s*\d{1,9}\s*", value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def row_errors(
    answer: "Response", content: bytes, path: str, rows: Sequence[Mapping[str, Any]], host: str
) -> list[RowError]:
    """The rows that an answer says were refused.

    Raises:
        DeliveryError: the answer is no JSON, or its entries name no rows of the batch.
    """
    try:
        found: Any = json.loads(content)
    except ValueError:
        kind = answer.headers.get("Content-Type", "no type").split(";")[0][:40]
        raise DeliveryError(
            f"webhook: {host} answered with {kind} of {len(content):,} bytes, which is no JSON, "
            "so what became of the rows is not known",
            is_temporary=True,
        ) from None
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    by_key = {row.get("idempotency_key"): number for number, row in enumerate(rows)}
    entries = found if isinstance(found, list) else [] if found is None else [found]
    refused: dict[int, RowError] = {}
    for entry in entries:
        number = _number(entry, by_key, len(rows))
        if number is None:
            raise DeliveryError(
                f"webhook: an entry of {path} in the answer of {host} names no row of the batch by "
                "index or key; check `errors`",
                is_temporary=False,
            )
        words = masked(str(entry.get("message") or "refused without a message"), rows[number])
        refused[number] = RowError(int(rows[number]["sequence"]), words)
    return [refused[number] for number in sorted(refused)]


def _number(entry: object, by_key: Mapping[Any, int], count: int) -> int | None:
    if not isinstance(entry, dict):
        return None
    index = entry.get("index")
    if isinstance(index, int) and not isinstance(index, bool):
        return index if 0 <= index < count else None
    key = entry.get("key")
    return by_key.get(key) if isinstance(key, str) else None


def masked(words: str, row: Mapping[str, Any]) -> str:
    """The beginning of what a receiver said, without what may be a person's."""
    values = {str(value) for name, value in row.items() if value is not None and name != "action"}
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= _SHORTEST_VALUE:
            words = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "***", words, flags=re.IGNORECASE)
    words = scrubbed(_PERSONAL.sub("***", " ".join(words.split())))
    return words if len(words) <= _PREVIEW else words[: _PREVIEW - 1] + "…"
