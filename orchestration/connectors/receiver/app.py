"""The HTTP side: addresses, status codes, and what they say. One request is stored whole or not.

An answer of 200 means that the events are safe on disk. 400, 401, 413, 415 and 422 are the sender's
to repair; after 429 and 503 the same request can be sent again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from orchestration.connectors.definitions import load_definitions
from orchestration.connectors.receiver import events
from orchestration.connectors.receiver.events import PLAIN, SEGMENT, Event, RequestError, Shape
from orchestration.connectors.receiver.gauge import Gauge
from orchestration.connectors.receiver.judge import Judge, Judgement
from orchestration.connectors.receiver.keys import Keys, credential
from orchestration.connectors.receiver.spool import (
    Rotation,
    Spool,
    SpoolError,
    make_folder,
    recover,
)

RETRY_SECONDS = 30
BODY_SECONDS = 30.0  # a sender that is slower than this over one request is cut off
HOUSEKEEPING_SECONDS = 2.0
MAX_BUFFERED_BYTES = 64_000_000  # of all requests being read, packed or not
SEGMENT_TYPES = ("track", "page", "screen", "identify", "group", "alias")
_log = logging.getLogger(__name__)

Parse = Callable[[bytes], list[Event]]


@dataclass(frozen=True)
class ReceiverSettings:
    """What one receiver needs to know; it can be handed to worker processes.

    `reasons` is the SQL expression by which staging judges web.events.
    """

    inbox: Path
    landing: Path
    keys: Keys
    reasons: str
    is_strict: bool
    limit_bytes: int
    min_free_bytes: int
    keep_days: float
    rotation: Rotation


def _answer(status: int, content: dict[str, object]) -> Response:
    headers = {"Retry-After": str(RETRY_SECONDS)} if status in (429, 503) else {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="muster"'
    return Response(orjson.dumps(content), status, headers, "application/json")


def _told(judgement: Judgement | None) -> dict[str, object]:
    if judgement is None:
        return {"violations": [], "violation_count": None}
    return {"violations": judgement.violations, "violation_count": judgement.count}


def _without_violations(judgement: Judgement | None) -> dict[str, object]:
    """What is told of a judgement that a strict receiver lets pass.

    Raises:
        RequestError: 422 there are violations, 503 nobody knows.
    """
    if judgement is None:
        error = "the events could not be judged and this receiver is strict; nothing was stored"
        raise RequestError(503, f"{error}; send again later")
    if judgement.count:
        error = "the tracking plan is broken and this receiver is strict; nothing was stored"
        raise RequestError(422, error, _told(judgement))
    return _told(judgement)


class _Held:
    """What one request holds in memory, until it is answered."""

    def __init__(self, receiver: "Receiver") -> None:
        self.receiver, self.size = receiver, 0

    def add(self, size: int) -> None:
        """Raises RequestError (429) when all requests together hold too much."""
        self.size += size
        self.receiver.buffered += size
        if self.receiver.buffered > MAX_BUFFERED_BYTES:
            raise RequestError(429, "too much is being received at once; send again later")


class Receiver:
    """The state of one process: its spools, judges and gauge, and what it is reading."""

    def __init__(self, settings: ReceiverSettings) -> None:
        self.settings = settings
        self.folders = (SEGMENT.folder, PLAIN.folder)
        self.gauge = Gauge(
            settings.inbox,
            settings.landing,
            self.folders,
            settings.limit_bytes,
            settings.min_free_bytes,
            settings.keep_days,
        )
        self.spools: dict[str, Spool] = {}
        definitions = load_definitions()
        self.judges = {
            folder: Judge(definitions[folder], settings.reasons) for folder in self.folders
        }
        self.buffered = 0  # bytes of all requests that are not answered yet

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Recover what dead receivers left, receive, and close the files at the end."""
        for folder in self.folders:
            path = make_folder(self.settings.inbox, folder)
            self.spools[folder] = Spool(path, self.settings.rotation)
            await self.judges[folder].judge(b"{}\n")  # so that no sender waits for its preparation
        await self._keep_house()
        task = asyncio.create_task(self._keep_house_always())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            for spool in self.spools.values():
                await asyncio.to_thread(spool.close)

    async def _keep_house(self) -> None:
        for folder in self.folders:
            found = await asyncio.to_thread(recover, self.settings.inbox / folder)
            if found:
                _log.warning("%s: closed %d files of a receiver that died", folder, found)
        await self.gauge.refresh()

    async def _keep_house_always(self) -> None:
        while True:
            await asyncio.sleep(HOUSEKEEPING_SECONDS)
            try:
                await self._keep_house()
            except Exception as error:  # counting goes on at the next round
                _log.error("counting the spool: %s", error)

    async def receive(self, shape: Shape, parse: Parse, request: Request) -> Response:
        """Answer one POST of events."""
        held = _Held(self)
        try:
            return await self._receive(shape, parse, request, held)
        except RequestError as error:
            return _answer(error.status, {"error": str(error), **error.told})
        except SpoolError as error:
            return _answer(503, {"error": f"nothing was stored: {error}; send again later"})
        except ClientDisconnect:
            return _answer(400, {"error": "the request was cut off"})
        finally:
            self.buffered -= held.size

    async def _receive(
        self, shape: Shape, parse: Parse, request: Request, held: "_Held"
    ) -> Response:
        key_name = self._key_name(request)
        self._make_sure_of_room(0)
        raw = await self._body(request, held)
        body = events.unpacked(raw, request.headers.get("content-encoding", "").strip().lower())
        held.add(len(body))
        if not body.strip():
            raise RequestError(400, "the body is empty")
        received = parse(body)
        lines = events.spool_lines(received, shape, key_name)
        self._make_sure_of_room(len(lines))
        async with self.gauge.reserved(len(lines)):
            told = await self._judged_and_stored(shape, lines)
        return _answer(200, {"accepted": len(received), **told})

    async def _judged_and_stored(self, shape: Shape, lines: bytes) -> dict[str, object]:
        """What is told of the judgement, when the lines are safe on disk.

        Raises:
            RequestError: 422, 503; only if the receiver is strict.
            SpoolError: the lines could not be stored.
        """
        judge, spool = self.judges[shape.folder], self.spools[shape.folder]
        if self.settings.is_strict:
            told = _without_violations(await judge.judge(lines))
            await spool.append(lines)
            return told
        judgement, _ = await asyncio.gather(judge.judge(lines), spool.append(lines))
        return _told(judgement)

    def _key_name(self, request: Request) -> str:
        if not self.settings.keys.pairs:
            return ""
        key = credential(request.headers)
        name = self.settings.keys.name_of(key) if key else None
        if name is None:
            raise RequestError(
                401,
                "a known key is needed: Authorization: Bearer KEY, X-Api-Key: KEY, or Basic with "
                "the key as user name",
            )
        return name

    def _make_sure_of_room(self, size: int) -> None:
        refusal = self.gauge.refusal(size)
        if refusal:
            raise RequestError(429, refusal)

    async def _body(self, request: Request, held: "_Held") -> bytes:
        length = request.headers.get("content-length", "")
        if length.isdigit() and int(length) > events.MAX_BODY_BYTES:
            raise events.too_large()
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for chunk in request.stream():
                    chunks.append(chunk)
                    size += len(chunk)
                    held.add(len(chunk))
                    if size > events.MAX_BODY_BYTES:
                        raise events.too_large()
        except TimeoutError:
            raise RequestError(408, f"the body did not arrive in {BODY_SECONDS:.0f} s") from None
        return b"".join(chunks)

    async def health(self, _: Request) -> Response:
        """200 when events would be accepted, else 503 with the reason."""
        refusal = self.gauge.refusal()
        told: dict[str, object] = {
            "ok": refusal is None,
            "spool_bytes": self.gauge.spool_bytes,
            "spool_limit_bytes": self.settings.limit_bytes,
            "free_disk_bytes": self.gauge.free_bytes,
        }
        return _answer(503 if refusal else 200, {**told, "reason": refusal} if refusal else told)


def create_app(settings: ReceiverSettings) -> Starlette:
    """The ASGI application of one worker."""
    receiver = Receiver(settings)

    def route(path: str, shape: Shape, parse: Parse) -> Route:
        handler: Callable[[Request], Coroutine[None, None, Response]] = partial(
            receiver.receive, shape, parse
        )
        return Route(path, handler, methods=["POST"])

    return Starlette(
        routes=[
            Route("/health", receiver.health),
            route("/v1/events", PLAIN, events.plain_events),
            route("/v1/batch", SEGMENT, events.segment_batch),
            *(
                route(f"/v1/{kind}", SEGMENT, partial(events.segment_message, kind=kind))
                for kind in SEGMENT_TYPES
            ),
        ],
        lifespan=receiver.lifespan,
    )
