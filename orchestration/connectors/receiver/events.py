"""From the body of a request to the lines of a spool file.

The wire formats are Segment's messages (Segment documentation, "HTTP API source") and plain events
in the columns of `web.events`. An event is stored as it was sent; only what says when, by whom and
under which id it was received is added. What is wrong with an event is said by `judge`.
"""

import hashlib
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

import orjson

MAX_BODY_BYTES = 5_000_000  # of a request, unpacked
MAX_EVENTS = 50_000  # of a request; tiny ones become far more bytes in the spool
MAX_EVENT_BYTES = 1_000_000  # of one event; the reader of files takes lines of twice that
_GZIP_WINDOW = 31  # zlib: a gzip header, the largest window

Event = dict[str, object]


class RequestError(Exception):
    """A request that is not accepted; nothing of it was stored. `status` is that of HTTP.

    `told` is said beside the message.
    """

    def __init__(self, status: int, message: str, told: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.told = told or {}


@dataclass(frozen=True)
class Shape:
    """The names that one wire format gives to what the receiver adds, and the folder it goes to."""

    folder: str
    id: str
    received_at: str
    times: tuple[str, ...]


PLAIN = Shape("web/events", "event_id", "received_at", ("occurred_at",))
SEGMENT = Shape("segment/events", "messageId", "receivedAt", ("timestamp", "originalTimestamp"))


def unpacked(body: bytes, encoding: str) -> bytes:
    """The body without its content encoding.

    Raises:
        RequestError: 415 unknown encoding, 413 too large when unpacked, 400 damaged.
    """
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise RequestError(415, f"Content-Encoding {encoding[:40]!r} is not read; send gzip")
    unpacker = zlib.decompressobj(_GZIP_WINDOW)
    try:
        result = unpacker.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error:
        raise RequestError(400, "the body is not valid gzip") from None
    if len(result) > MAX_BODY_BYTES:
        raise too_large()
    if not unpacker.eof or unpacker.unused_data:
        raise RequestError(400, "the gzip data of the body is cut off, or more follows it")
    return result


def too_large() -> RequestError:
    """The error of a body over the limit."""
    return RequestError(413, f"the body is over {MAX_BODY_BYTES:,} bytes; send smaller batches")


def _kind(value: object) -> str:
    names = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _check_number(count: int) -> None:
    if count > MAX_EVENTS:
        raise RequestError(413, f"{count:,} events; send {MAX_EVENTS:,} at most in one request")


def _objects(values: list[object], what: str) -> list[Event]:
    _check_number(len(values))
    found: list[Event] = []
    for index, value in enumerate(values):
        if not isinstance(value, dict):
            raise RequestError(400, f"{what} {index} is {_kind(value)}; each must be a JSON object")
        found.append(value)
    return found


def _invalid(what: str, error: ValueError) -> NoReturn:
    raise RequestError(400, f"{what} is not valid JSON: {error}") from None


def plain_events(body: bytes) -> list[Event]:
    """The events of a JSON array, of one object, or of JSON Lines.

    Raises:
        RequestError: 400, 413; the message names the element by its index, or the line, from 1.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        lines = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
        if body.lstrip()[:1] == b"[" or len(lines) < 2:
            _invalid("the body", error)
        _check_number(len(lines))
        return list(_json_lines(lines))
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        raise RequestError(400, f"the body is {_kind(value)}; send an object, an array or lines")
    return _objects(value, "element")


def _json_lines(lines: list[tuple[int, bytes]]) -> Iterator[Event]:
    for number, line in lines:
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            _invalid(f"line {number}", error)
        if not isinstance(value, dict):
            raise RequestError(400, f"line {number} is {_kind(value)}; it must be a JSON object")
        yield value


def segment_batch(body: bytes) -> list[Event]:
    """The messages of Segment's `{"batch": [...], "sentAt": ..., "context": ...}`.

    What the envelope says of all messages is given to those that do not say it themselves.

    Raises:
        RequestError: 400, 413; the message names the element by its index.
    """
    envelope = _object(body)
    batch = envelope.get("batch")
    if not isinstance(batch, list):
        raise RequestError(400, 'the body has no array "batch"')
    shared = {
        name: envelope[name]
        for name in ("sentAt", "context", "integrations")
        if envelope.get(name) is not None
    }
    return [_message({**shared, **message}) for message in _objects(batch, "batch element")]


def segment_message(body: bytes, kind: str) -> list[Event]:
    """The one message of `/v1/track` and its like; the address says its type.

    Raises:
        RequestError: 400.
    """
    return [_message({**_object(body), "type": kind})]


def _object(body: bytes) -> Event:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        _invalid("the body", error)
    if not isinstance(value, dict):
        raise RequestError(400, f"the body is {_kind(value)}; it must be a JSON object")
    return value


def _message(message: Event) -> Event:
    message.pop("writeKey", None)  # some libraries repeat the secret in the message
    return message


def id_of(event: Event, shape: Shape, key_name: str) -> str:
    """An id for an event that has none.

    A retry must get the same one, so it is a hash of the event and of its key's name. An event
    without a time of its own may truly happen again in the same words: that one gets a random id.
    """
    if not any(event.get(name) for name in shape.times):
        return str(uuid.uuid4())
    changing = ("sentAt", shape.id)
    own = {name: value for name, value in event.items() if name not in changing}
    canonical = orjson.dumps(own, option=orjson.OPT_SORT_KEYS)
    return "h-" + hashlib.blake2b(canonical, digest_size=16, key=key_name.encode()[:64]).hexdigest()


def spool_lines(
    events: list[Event], shape: Shape, key_name: str, now: datetime | None = None
) -> bytes:
    """The events as JSON Lines in their order, with id, time of receipt and the key's name.

    Args:
        events: they are changed in place.
        shape: under which names.
        key_name: empty when no keys are asked for.
        now: time of receipt, UTC.

    Raises:
        RequestError: 413, 400; the message names the element by its index.
    """
    moment = (now or datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    lines = []
    for index, event in enumerate(events):
        try:
            if event.get(shape.id) in (None, ""):
                event[shape.id] = id_of(event, shape, key_name)
            if event.get(shape.received_at) in (None, ""):
                event[shape.received_at] = moment
            if shape is SEGMENT and not event.get("timestamp"):
                # Segment's specification: a message without a time happened when it was received.
                event["timestamp"] = event.get("originalTimestamp") or event[shape.received_at]
            event.pop("write_key_name", None)
            if key_name:
                event["write_key_name"] = key_name
            line = orjson.dumps(event)
        except TypeError as error:  # orjson writes fewer levels than it reads
            raise RequestError(400, f"element {index} is nested too deeply ({error})") from None
        if len(line) > MAX_EVENT_BYTES:
            raise RequestError(413, f"element {index} is over {MAX_EVENT_BYTES:,} bytes")
        lines.append(line)
    lines.append(b"")
    return b"\n".join(lines)
