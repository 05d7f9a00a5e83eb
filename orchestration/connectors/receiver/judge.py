"""What staging will say of received events, told to their sender before they land.

There is no rule here: the lines are mapped by the query by which the file drop lands them, and
judged by the expression by which staging judges them, which is handed in. A violation is no reason
to refuse an event, unless the receiver is strict: staging quarantines it with its reason, so that
it can be repaired. Nor is a judgement that fails.
"""

import asyncio
import logging
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

from orchestration.connectors.definitions import FolderDefinition, quoted
from orchestration.connectors.sources import queries
from orchestration.connectors.sources.readers import Reading

if TYPE_CHECKING:
    import duckdb

ENTITY = "web_events"
MAX_TOLD = 100  # violations of one request
WAIT_SECONDS = 5.0  # a sender is not kept waiting for longer
SLICE_BYTES = 1_000_000  # judged at once; memory grows with it
_QUIET_SECONDS = 60.0  # between two messages of the log
_log = logging.getLogger(__name__)


@dataclass
class Judgement:
    """What is wrong with the events of a request: how often, and of that the first."""

    count: int = 0
    violations: list[dict[str, object]] = field(default_factory=list)

    def add(self, index: int, name: str | None, reasons: list[str]) -> None:
        """The reasons of the event at `index`."""
        self.count += len(reasons)
        for reason in reasons[: MAX_TOLD - len(self.violations)]:
            self.violations.append({"index": index, "name": name, "reason": reason})


def judgement_sql(definition: FolderDefinition, reasons: str) -> str:
    """A query over JSON Lines, its one parameter: number, name and reasons of those that have any.

    Args:
        definition: the folder that the lines will be dropped into.
        reasons: an expression over landing columns of web.events: reasons joined by `; `, or null.
    """
    reading = Reading(queries.LINES, list(definition.fields), json_lines=True, is_sliced=True)
    rows = queries.entity_sql(reading, definition, ENTITY, definition.folder)
    return f"""
        with {queries.LINES} as (
            select unnest(lines) as line, unnest(range(1, len(lines) + 1)) as _row_number
            from (select string_split($1::varchar, chr(10)) as lines)
        )
        select _row_number, left(name, 100), string_split(reasons, '; ')
        from (select _row_number, name, {reasons} as reasons from ({rows}))
        where reasons is not null
        order by _row_number"""


def _slices(lines: bytes) -> Iterator[bytes]:
    """Whole lines of about `SLICE_BYTES`."""
    begin = 0
    while begin < len(lines):
        end = lines.find(b"\n", begin + SLICE_BYTES) + 1 or len(lines)
        yield lines[begin:end]
        begin = end


class Judge:
    """Judges lines of one folder in a thread; those who wait meanwhile are judged together.

    One query takes 3 to 7 ms before its first event, and then 10 microseconds for each; more with
    a larger plan.
    """

    def __init__(self, definition: FolderDefinition, reasons: str) -> None:
        is_judged = ENTITY in definition.entities
        self._sql = judgement_sql(definition, reasons) if is_judged else None
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._waiting: deque[tuple[bytes, asyncio.Future[Judgement | None]]] = deque()
        self._work: asyncio.Task[None] | None = None
        self._quiet_until = 0.0

    async def judge(self, lines: bytes) -> Judgement | None:
        """What staging will say of the lines, which end with a newline; None if that is unknown.

        Nothing is raised: the reason goes to the log.
        """
        if self._sql is None or not lines:
            return Judgement()
        done: asyncio.Future[Judgement | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((lines, done))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._judge_waiting())
        try:
            return await asyncio.wait_for(done, WAIT_SECONDS)
        except TimeoutError:
            self._complain(f"it took more than {WAIT_SECONDS:.0f} s")
            return None

    async def _judge_waiting(self) -> None:
        while group := self._next_group():
            judged = await asyncio.to_thread(self._judged, [lines for lines, _ in group])
            for (_, done), judgement in zip(group, judged, strict=True):
                if not done.done():
                    done.set_result(judgement)

    def _next_group(self) -> list[tuple[bytes, "asyncio.Future[Judgement | None]"]]:
        group = []
        size = 0
        while self._waiting and size < SLICE_BYTES:
            lines, done = self._waiting.popleft()
            if not done.done():  # else nobody waits any more
                group.append((lines, done))
                size += len(lines)
        return group

    def _judged(self, group: list[bytes]) -> list[Judgement | None]:
        """One judgement for each request, alone if they cannot be judged together."""
        try:
            return list(self._asked(group))
        except Exception as error:  # no fault here, of whatever kind, may refuse an event
            self._connection = None  # some errors end it
            if len(group) == 1:
                self._complain(str(error))
                return [None]
        return [judgement for lines in group for judgement in self._judged([lines])]

    def _asked(self, group: list[bytes]) -> list[Judgement]:
        if self._connection is None:
            self._connection = self._prepared()
        found = [Judgement() for _ in group]
        begins = [0, *accumulate(lines.count(b"\n") for lines in group)]
        before = 0
        for lines in _slices(b"".join(group)):
            # Not as a parameter, with which the client would plan the query anew each time: that
            # takes up to 200 ms.
            rows = self._connection.execute(f"execute judgement({quoted(lines.decode())})")
            for number, name, reasons in rows.fetchall():
                line = before + number - 1
                request = bisect_right(begins, line) - 1
                found[request].add(line - begins[request], name, reasons)
            before += lines.count(b"\n")
        return found

    def _prepared(self) -> "duckdb.DuckDBPyConnection":
        """A connection that knows the query by the name `judgement`."""
        connection = queries.open_connection(threads=1, memory="300MB")
        # The second, too, since it makes a join of each list of names: that costs 4 ms a query.
        connection.execute("set disabled_optimizers = 'common_subexpressions,in_clause'")
        connection.execute(f"prepare judgement as {self._sql}")
        return connection

    def _complain(self, cause: str) -> None:
        if time.monotonic() >= self._quiet_until:
            self._quiet_until = time.monotonic() + _QUIET_SECONDS
            told = cause.partition("\n")[0][:200]
            _log.error("events are received without being judged by the tracking plan: %s", told)
