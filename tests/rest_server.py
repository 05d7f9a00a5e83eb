"""A local HTTP server with the shapes of HubSpot and Shopify, that keeps state and can misbehave.

What a test wants to go wrong is set on `RestServer`; what was asked is in `asked`.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

Record = dict[str, Any]
LISTS = {  # path: (records under, how the page is turned)
    "/crm/v3/objects/contacts": ("results", "after"),
    "/crm/v3/objects/tickets": ("results", "after"),
    "/email/public/v1/events": ("events", "offset"),
    "/admin/api/2026-01/orders.json": ("orders", "link"),
    "/admin/api/2026-01/products.json": ("products", "link"),
    "/admin/api/2026-01/customers.json": ("customers", "link"),
}


def utc(days: float = 0, *, seconds: float = 0) -> str:
    """A moment relative to now, as HubSpot writes it."""
    moment = datetime.now(UTC) + timedelta(days=days, seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@dataclass
class Fault:
    """An answer given instead of the right one, `times` times, to paths that begin with `path`."""

    path: str
    status: int
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "{}"


class RestServer:
    """The state of both APIs; records are in the order in which their lists show them."""

    def __init__(self) -> None:
        self.records: dict[str, list[Record]] = {path: [] for path in LISTS}
        self.tokens = {"secret-token-1"}
        self.renewed: list[str] = []
        self.page_size = 1000
        self.faults: list[Fault] = []
        self.asked: list[tuple[str, float]] = []
        self.repeat_page = False  # each page comes twice
        self.endless = ""  # "same": one next token for ever; "fresh": always another one
        self.delay_seconds = 0.0
        self.after_page: Callable[[int], None] = lambda number: None  # told after each page
        self.url = ""

    def put(self, path: str, record: Record) -> None:
        """Add a record, or change the one of its id where it stands."""
        records = self.records[path]
        for number, old in enumerate(records):
            if old["id"] == record["id"]:
                records[number] = record
                return
        records.append(record)

    def times_asked(self, path: str) -> list[float]:
        return [moment for asked, moment in self.asked if asked.startswith(path)]

    def fault(self, path: str) -> Fault | None:
        for fault in self.faults:
            if path.startswith(fault.path) and fault.times:
                fault.times -= 1
                return fault
        return None

    def matching(self, path: str, query: dict[str, str]) -> list[Record]:
        """What a list shows for its query."""
        found = self.records[path]
        if path.startswith("/crm"):
            archived = query.get("archived") == "true"
            return [record for record in found if record["archived"] == archived]
        if path.startswith("/email"):
            kind, since = query.get("eventType"), int(query.get("startTimestamp", 0))
            return [
                record
                for record in reversed(found)
                if record["created"] >= since and kind in (None, record["type"])
            ]
        since_text = query.get("updated_at_min", "1970-01-01T00:00:00Z")
        since_moment = datetime.fromisoformat(since_text)
        return [
            record
            for record in found
            if datetime.fromisoformat(record["updated_at"]) >= since_moment
        ]

    def search(self, body: Record) -> list[Record]:
        """HubSpot's search of contacts that changed, by id."""
        (group,) = body["filterGroups"]
        since, after = (int(one["value"]) for one in group["filters"])
        found = [
            record
            for record in self.records["/crm/v3/objects/contacts"]
            if not record["archived"]
            and milliseconds(record["updatedAt"]) >= since
            and int(record["id"]) > after
        ]
        found.sort(key=lambda record: int(record["id"]))
        return found[: min(body["limit"], self.page_size)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet; else the client's delayed ACK costs 40 ms
    server: "_HttpServer"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: tests read what was asked from the state."""

    def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        raw = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _answer(self) -> None:
        state = self.server.state
        split = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length).decode()
        with state_lock:
            state.asked.append((split.path, time.monotonic()))
            fault = state.fault(split.path)
        time.sleep(state.delay_seconds)
        if fault:
            self._send(fault.status, fault.body, fault.headers)
        elif split.path == "/oauth/v1/token":
            self._renew({name: value[0] for name, value in parse_qs(raw).items()})
        elif self._token() not in state.tokens:
            self._send(401, {"status": "error", "message": f"bad token {self._token()}"})
        elif split.path == "/crm/v3/objects/contacts/search":
            with state_lock:
                results = state.search(json.loads(raw))
            self._send(200, {"total": len(results), "results": results})
            state.after_page(len(state.asked))
        elif split.path in LISTS:
            self._list(split.path, {key: value[0] for key, value in parse_qs(split.query).items()})
            state.after_page(len(state.asked))
        else:
            self._send(404, {"message": "no such endpoint"})

    do_GET = do_POST = _answer  # noqa: N815

    def _token(self) -> str:
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        return self.headers.get("X-Shopify-Access-Token") or bearer

    def _renew(self, form: dict[str, str]) -> None:
        state = self.server.state
        good = {"client_id": "client-1", "client_secret": "secret-2", "refresh_token": "secret-3"}
        if {**form, "grant_type": ""} != {**good, "grant_type": ""}:
            self._send(400, {"message": "missing or unknown refresh token"})
            return
        token = f"renewed-{len(state.renewed)}"
        state.renewed.append(token)
        state.tokens = {token}
        self._send(200, {"access_token": token, "expires_in": 1800})

    def _list(self, path: str, query: dict[str, str]) -> None:
        """One page; a token is `begin~again~since`, where `again` is anything."""
        state = self.server.state
        under, turning = LISTS[path]
        name = "page_info" if turning == "link" else turning
        if "page_info" in query and set(query) != {"page_info", "limit"}:
            self._send(400, {"errors": {"page_info": "comes alone"}})
            return
        number, again, since = query.get(name, "0~~").split("~")
        since = since or query.get("updated_at_min", "")
        if since:
            query["updated_at_min"] = since
        size, begin = min(int(query["limit"]), state.page_size), int(number)
        with state_lock:
            found = state.matching(path, query)
        turn = f"{begin + size}~~{since}" if begin + size < len(found) else ""
        if state.repeat_page and not again:
            turn = f"{begin}~again~{since}"
        if state.endless:
            turn = f"0~{'again' if state.endless == 'same' else len(state.asked)}~{since}"
        body: Record = {under: found[begin : begin + size]}
        headers = {}
        if turning == "after" and turn:
            body["paging"] = {"next": {"after": turn, "link": "..."}}
        if turning == "offset":
            body |= {"hasMore": bool(turn), "offset": turn or "end"}
        if turning == "link" and turn:
            more = urlencode({"limit": query["limit"], name: turn})
            headers["Link"] = f'<{state.url}{path}?{more}>; rel="next"'
        self._send(200, body, headers)


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, state: RestServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state = state


state_lock = threading.Lock()


@contextmanager
def serving() -> Iterator[RestServer]:
    """A server on a free port of this machine."""
    state = RestServer()
    server = _HttpServer(state)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
