"""Pulls one part of a source into landing: read, map, land, and only then move the cursor.

The cursor is landed in the same load as the rows it stands for (`_pulls`), so it can never run
ahead of them, whatever dies when, and needs no state of its own.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.connectors.definitions import Mapping
from orchestration.connectors.json_fields import JsonFields, is_field
from orchestration.connectors.landed_state import LandedState
from orchestration.connectors.landing import REJECTED_TABLE, land, live_files, stamped
from orchestration.connectors.mapped import Mapper
from orchestration.connectors.secrets import MissingSecretError, scrubbed
from orchestration.connectors.sources.base import Cursor, Part, Source, SourceError

if TYPE_CHECKING:
    import pyarrow as pa

PULLS_TABLE = "_pulls"
SCRATCH = "scratch"  # folder in dlt's for what does not fit in memory
TELL_ROWS = 1_000_000
Progress = Callable[[str], None]


@dataclass
class PullReport:
    """What one pull of one part did; `load_id` is None when nothing was new."""

    source: str
    part: str
    entity: str
    load_id: str | None = None
    rows: int = 0
    rejected: int = 0
    size: int = 0
    deleted: int = 0
    cursor: Cursor | None = None
    lag_seconds: float | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def position(self) -> Cursor:
        """The cursor as people should see it."""
        return position(self.cursor)


@dataclass(frozen=True)
class LastPull:
    """The newest durable pull of a part; `columns` are those the source had, name to type, and the
    fields of JSON in them.
    """

    cursor: Cursor
    columns: dict[str, str]
    landed_at: datetime

    @property
    def position(self) -> Cursor:
        """The cursor as people should see it."""
        return position(self.cursor)


def position(cursor: Cursor | None) -> Cursor:
    """A cursor without the marks of rows that an overlap would bring again."""
    return {name: value for name, value in (cursor or {}).items() if name != "seen"}


def last_pull(landing: Path, source: str, part: str) -> LastPull | None:
    """The newest complete pull of a part, or None before the first."""
    import duckdb

    files = live_files(landing, source, PULLS_TABLE)
    if not files:
        return None
    with duckdb.connect() as connection:
        row = connection.execute(
            """select cursor, columns, epoch(_landed_at) from read_parquet(?, union_by_name = true)
            where part = ? order by _landed_at desc, _load_id desc limit 1""",
            [files, part],
        ).fetchone()
    if row is None:
        return None
    landed_at = datetime.fromtimestamp(row[2], UTC)
    return LastPull(json.loads(row[0]), json.loads(row[1]), landed_at)


def _schema_notes(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """What changed at the source since the last pull, in words."""
    notes = []
    new = [name for name in now if name not in before]
    gone = [name for name in before if name not in now]
    changed = [name for name in now if name in before and before[name] != now[name]]
    if new:
        notes.append(f"new columns, kept in _extra until they are mapped: {', '.join(new)}")
    if gone:
        notes.append(f"columns gone: {', '.join(gone)}")
    notes += [f"column {name} was {before[name]} and is {now[name]}" for name in changed]
    return notes


class _Pull:
    """One pull: hands `land` a generator for each table, and counts as they run."""

    def __init__(
        self, source: Source, part: Part, landing: Path, state: Path, progress: Progress
    ) -> None:
        self.source, self.part, self.progress = source, part, progress
        origin = f"{source.name}/{part.name}"
        self.last = last_pull(landing, source.name, part.name)
        self.mapper = Mapper(part.entity, part.mapping, origin)
        self.landed_at = datetime.now(UTC)
        self.columns: dict[str, str] = {}
        self.fields = JsonFields(part.mapping)
        self.rejects: list[pa.Table] = []
        self.report = PullReport(source.name, part.name, part.entity)
        self.report.cursor = self.last.cursor if self.last else None
        self.landed = (
            LandedState(landing, source.name, part, origin, state / SCRATCH)
            if part.is_compared(self.report.cursor)
            else None
        )

    def rows(self) -> "Iterator[pa.Table]":
        """What is new, mapped: without the columns that a load adds, and never an empty table."""
        told = 0
        for batch in self.source.read(self.part, self.report.cursor):
            if batch.cursor is not None:
                self.report.cursor = batch.cursor
            self.report.notes += batch.notes
            if batch.rejected is not None and batch.rejected.num_rows:
                self.rejects.append(batch.rejected)
            if batch.rows is None or not batch.rows.num_rows:
                continue
            for column in batch.rows.schema:
                kind = (column.metadata or {}).get(b"source_type", str(column.type).encode())
                self.columns.setdefault(column.name, kind.decode())
            mapped = self.mapper(batch.rows)
            self.fields.look(batch.rows)
            if self.landed:
                mapped = self.landed.changed(mapped)
            if mapped.num_rows:
                self.report.rows += mapped.num_rows
                self.report.size += batch.rows.nbytes
                yield mapped
            if self.report.rows - told >= TELL_ROWS:
                told = self.report.rows
                self.progress(f"{self.report.source}/{self.report.part}: {told:,} rows")
        self.report.notes += self.mapper.notes
        if self.part.compare_keys:
            yield from self._tombstones()

    def _tombstones(self) -> "Iterator[pa.Table]":
        """Keys that are gone from the source, or deleted there, as deleted records."""
        assert self.landed
        keys = Mapper(
            self.part.entity,
            Mapping(
                columns=dict(zip(self.mapper.entity.key, self.part.key_expressions, strict=True)),
                deleted=self.part.mapping.deleted,
            ),
            self.mapper.origin,
        )
        self.landed.are_present(keys(rows) for rows in self.source.present_keys(self.part))
        gone = self.landed.gone_keys()
        began_anew = not (self.last and self.last.cursor)
        if not began_anew and self.landed.keys_back():
            # They landed as deleted; only a read without a cursor brings them again.
            self.report.cursor = {}
            self.report.notes.append("deleted keys are back; the next pull reads all there is")
        if gone.num_rows:
            self.report.deleted = gone.num_rows
            yield self.mapper.tombstones(gone)

    def stamped(self, rows: "Iterator[pa.Table]") -> "Iterator[pa.Table]":
        """The rows with the columns of the load."""
        for table in rows:
            yield stamped(table, self.landed_at)

    def rejected_rows(self) -> "Iterator[pa.Table]":
        """Records that were no rows; they count with the entity they should have become."""
        import pyarrow as pa

        for rejected in self.rejects:
            self.report.rejected += rejected.num_rows
            folder = pa.array([self.report.entity] * rejected.num_rows, pa.string())
            yield stamped(rejected.append_column("folder", folder), self.landed_at)
        if self.rejects:
            self.report.notes.append(
                f"{self.report.rejected} records could not be read and went aside"
            )

    def pull_rows(self) -> "Iterator[pa.Table]":
        """The row of `_pulls`, last of the load."""
        import pyarrow as pa

        known = self.last.columns if self.last else {}
        fields = {name: kind for name, kind in known.items() if is_field(name)}
        before = {name: kind for name, kind in known.items() if not is_field(name)}
        if before and self.columns:
            self.report.notes += _schema_notes(before, self.columns)
        self.report.notes += self.fields.notes(fields)
        row: dict[str, Any] = {
            "part": self.report.part,
            "entity": self.report.entity,
            "cursor": json.dumps(self.report.cursor),
            "rows": self.report.rows,
            "bytes": self.report.size,
            "columns": json.dumps({**(self.columns or before), **self.fields.kinds(fields)}),
            "message": "; ".join(self.report.notes),
        }
        yield stamped(pa.Table.from_pylist([row]), self.landed_at)


def together(source: Source, state: Path) -> AbstractContextManager[None]:
    """Around the pulls of several parts of a source: what they read of it but once is shared.

    Each part still lands for itself. `state` is dlt's working folder, as in `pull`.
    """
    scratch = state / SCRATCH
    scratch.mkdir(parents=True, exist_ok=True)
    return source.sharing(scratch)


def pull(
    source: Source, part: Part, landing: Path, state: Path, progress: Progress = lambda _: None
) -> PullReport:
    """Land what is new of one part in one load; nothing new makes no load.

    Args:
        source: where to read.
        part: what of it.
        landing: the landing folder.
        state: dlt's working folder; it may be lost at any time.
        progress: told every million rows.

    Raises:
        SourceError: the part could not be read to its end; nothing of it was landed, and the next
            pull begins where this one began.
    """
    try:
        with together(source, state):
            job = _Pull(source, part, landing, state, progress)
            before = job.report.cursor
            rows = job.rows()
            first = next(rows, None)
            if first is not None or job.rejects or job.report.cursor != before:
                tables = {REJECTED_TABLE: job.rejected_rows(), PULLS_TABLE: job.pull_rows()}
                if first is not None:
                    tables = {part.entity: job.stamped(chain([first], rows)), **tables}
                job.report.load_id = land(landing, state, source.name, tables)
    except Exception as error:
        raise told_plainly(error, f"{source.name}/{part.name}") from None
    _after_load(source, part, job.report)
    return job.report


def _after_load(source: Source, part: Part, report: PullReport) -> None:
    """Tell the source, and ask how far behind we are. What landed stays, whatever fails here."""
    if report.cursor is None:
        return
    try:
        source.committed(part, report.cursor)
        report.lag_seconds = source.lag_seconds(part, report.cursor)
    except Exception as error:
        report.notes.append(f"landed, but: {told_plainly(error, f'{source.name}/{part.name}')}")


def told_plainly(error: BaseException, where: str) -> SourceError:
    """The error as one line without secrets; those that say what to do are kept as they are."""
    chain_of = [error]
    while (cause := chain_of[-1].__cause__ or chain_of[-1].__context__) is not None:
        chain_of.append(cause)
    for cause in chain_of:
        if isinstance(cause, SourceError):
            message = scrubbed(str(cause))
            prefix = "" if message.startswith(where) else f"{where}: "
            return SourceError(f"{prefix}{message}", is_transient=cause.is_transient)
        if isinstance(cause, MissingSecretError):
            return SourceError(str(cause))
    first_line = (str(chain_of[-1]).strip().splitlines() or [""])[0]
    return SourceError(scrubbed(f"{where}: {type(chain_of[-1]).__name__}: {first_line}"))
