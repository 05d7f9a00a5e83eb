"""The cursor of an incremental read, and the window below it that is read again.

A row may become visible late with an older cursor value, so each read begins a little below the
highest value seen. What landed from that window before, unchanged, is left out by the hashes of its
rows, which the cursor carries. A value far in the future does not move the cursor: all that comes
after it would be lost.
"""

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from orchestration.connectors.sources.base import Cursor, SourceError

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["time", "date", "number", "text"]
MAX_SEEN = 100_000  # more would make the cursor heavy; the next pull then looks into landing
MAX_MARKED = 2_000_000  # rows noted during a read, before those that left the window are forgotten
# What DuckDB reads the text as, to compare and to go back from.
_TYPES: dict[Kind, str] = {
    "time": "timestamp",
    "date": "date",
    "number": "decimal(38, 10)",
    "text": "varchar",
}


# The highest value that moves the cursor. A day, for clocks and zones that are not ours.
_PLAUSIBLE = {"time": "now()::timestamp + interval 1 day", "date": "current_date + 1"}


def cursor_type(name: str, column_type: Any) -> Kind:  # a SQLAlchemy type
    """What kind of cursor a column can be.

    Raises:
        SourceError: values of the type have no useful order.
    """
    from sqlalchemy import types

    column_type = getattr(column_type, "data_type", column_type)  # of a domain
    if isinstance(column_type, types.DateTime):
        return "time"
    if isinstance(column_type, types.Date):
        return "date"
    if isinstance(column_type, types.Integer | types.Numeric):
        return "number"
    if isinstance(column_type, types.String) and not isinstance(column_type, types.Enum):
        return "text"
    raise SourceError(
        f"column {name} of type {column_type} cannot be a cursor; choose a time, a date, a number "
        "or text that only grows"
    )


class Overlap:
    """Follows the highest cursor value over the batches of one read.

    Args:
        column: the cursor column; all columns of a batch are text.
        kind: how its text is compared.
        size: of the window: in seconds for times and dates, as it is for numbers, none for text.
        cursor: where the last read ended: `{"value": ..., "seen": [...]}`; `seen` is None where
            they are too many.
    """

    def __init__(self, column: str, kind: Kind, size: float, cursor: Cursor | None) -> None:
        import duckdb

        self.column, self.kind, self.size = column, kind, size
        self.ahead = self.marked = 0
        self.is_full = False
        self.not_after: str | None = None  # the cursor stays below it, once it is set
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("set timezone = 'UTC'")
        self.connection.execute("create table seen (hash ubigint, value varchar)")
        self.known = set((cursor or {}).get("seen") or [])
        value: str | None = (cursor or {}).get("value")
        self.value = value if value is None or self._is_of_kind(value) else None
        self.has_new_type = self.value != value
        # None: everything is new, the first time.
        self.begin = self._below(self.value) if self.value is not None else None

    def _is_of_kind(self, value: str) -> bool:
        cast = f"select try_cast($1 as {_TYPES[self.kind]}) is not null"
        return self.connection.execute(cast, [value]).fetchone() == (True,)

    def _below(self, value: str) -> str:
        """The value at which the window below `value` begins, as text of the same form."""
        if self.kind == "text":
            return value
        if self.kind == "number":
            return str(Decimal(value) - Decimal(str(self.size)))
        typed = f"cast($1 as {_TYPES[self.kind]})"
        # A time with a zone is written in UTC; without the mark the server would take its own.
        zone = "'+00'" if value.endswith("+00") else "''"
        below = f"{typed} - to_seconds({self.size})"
        if self.kind == "date":
            below = f"cast({below} as date)"
        row = self.connection.execute(
            f"select cast({below} as varchar) || {zone}", [value]
        ).fetchone()
        assert row is not None
        return str(row[0])

    def new_rows(self, rows: "pa.Table") -> "pa.Table":
        """The rows that have not landed before as they are now."""
        kind, column = _TYPES[self.kind], f'"{self.column}"'
        typed = f"try_cast({column} as {kind})"
        latest = _PLAUSIBLE.get(self.kind)
        is_ahead = f"typed > {latest}" if latest else "false"
        is_plausible = f"isfinite(typed) and typed <= {latest}" if latest else "true"
        ((highest, ahead),) = self.connection.execute(
            f"""select arg_max({column}, typed) filter (where {is_plausible}),
                count(*) filter (where {is_ahead})
            from (select {column}, {typed} as typed from rows)"""
        ).fetchall()
        if highest is not None:
            self.value = self._higher(highest)
        window = self._below(self.value) if self.value is not None else None
        self._mark(rows, typed, window)
        kept = self._unknown(rows)
        if ahead:  # those that had landed have been told of before
            count = f"select count(*) from kept where {typed} > {latest}"
            self.ahead += self.connection.execute(count).fetchall()[0][0]
        return kept

    def _mark(self, rows: "pa.Table", typed: str, window: str | None) -> None:
        """Note the rows of the window: only they come again, and to hash all would cost more."""
        if self.is_full:
            return
        in_window = f"$1 is null or coalesce({typed} >= cast($1 as {_TYPES[self.kind]}), true)"
        ((marked,),) = self.connection.execute(
            f"""insert into seen select hash(rows), "{self.column}" from rows where {in_window}""",
            [window],
        ).fetchall()
        self.marked += marked
        if self.marked > MAX_MARKED:
            below = f"try_cast(value as {_TYPES[self.kind]}) < cast($1 as {_TYPES[self.kind]})"
            self.connection.execute(f"delete from seen where {below}", [window])
            ((self.marked,),) = self.connection.execute("select count(*) from seen").fetchall()
            self.is_full = self.marked > MAX_MARKED

    def _unknown(self, rows: "pa.Table") -> "pa.Table":
        import pyarrow as pa

        if not self.known:
            return rows
        known = pa.table({"hash": pa.array(self.known, pa.uint64())})  # noqa: F841  # by name
        kept: pa.Table = self.connection.execute(
            "select rows.* from rows where hash(rows) not in (select hash from known)"
        ).to_arrow_table()
        return kept.cast(rows.schema)

    def _higher(self, value: str) -> str:
        if self.not_after is not None and self._is_higher(value, self.not_after):
            value = self.not_after
        return value if self.value is None or self._is_higher(value, self.value) else self.value

    def _is_higher(self, value: str, other: str) -> bool:
        kind = _TYPES[self.kind]
        query = f"select cast($1 as {kind}) > cast($2 as {kind})"
        return self.connection.execute(query, [value, other]).fetchone() == (True,)

    @property
    def cursor(self) -> Cursor:
        """Where the next read begins, with the marks of the rows in its window."""
        if self.is_full:
            return {"value": self.value, "seen": None}
        kind = _TYPES[self.kind]
        window = self._below(self.value) if self.value is not None else None
        found = self.connection.execute(
            f"""select distinct hash from seen
            where try_cast(value as {kind}) is null or $1 is null
                or try_cast(value as {kind}) >= cast($1 as {kind})
            limit {MAX_SEEN + 1}""",
            [window],
        ).fetchall()
        seen = sorted(row[0] for row in found) if len(found) <= MAX_SEEN else None
        return {"value": self.value, "seen": seen}

    @property
    def notes(self) -> list[str]:
        """What the user should know of the cursor's values."""
        found = []
        if self.has_new_type:
            found.append(f"cursor {self.column} has another type; all was read again")
        if self.ahead:
            found.append(
                f"rows whose {self.column} is more than a day in the future: {self.ahead:,}; they "
                "do not move the cursor"
            )
        return found
