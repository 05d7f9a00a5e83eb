"""The statements of the PostgreSQL destination: its tables, COPY, and one upsert and delete."""

import io
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.errors import UniqueViolation

from orchestration.connectors.destinations.base import REMOVING, DeliveryError
from orchestration.connectors.destinations.rows import OWN, as_json

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa

_FEEDS = "muster_feeds"
_STAGED = sql.Identifier("muster_staged")


class Table:
    """One table of rows and the table of feeds beside it, in the same schema."""

    def __init__(
        self, connection: "psycopg.Connection[Any]", name: str, key: tuple[str, ...]
    ) -> None:
        schema, _, bare = name.rpartition(".")
        self.name, self.key = name, key
        self._place = (schema,) if schema else ()
        self.rows = sql.Identifier(*self._place, bare)
        self.feeds = sql.Identifier(*self._place, _FEEDS)
        self._bare = bare
        self._connection = connection
        self._known: tuple[str, ...] = ()

    def _exists(self, bare: str) -> bool:
        found = self._connection.execute(
            "select to_regclass(%s)", [sql.Identifier(*self._place, bare).as_string(None)]
        ).fetchone()
        return bool(found and found[0])

    def make_feeds(self, feed: str) -> None:
        """The table of feeds: how far each came, and what was refused of its last batch."""
        if not self._exists(_FEEDS):  # else a user without the right to create could not go on
            self._connection.execute(
                sql.SQL(
                    "create table if not exists {} (feed text primary key, "
                    "last_sequence bigint not null default 0, as_of text, snapshot_id text, "
                    "updated_at timestamptz not null default now(), "
                    "refused jsonb not null default '[]')"
                ).format(self.feeds)
            )
        self._connection.execute(
            sql.SQL("insert into {} (feed) values (%s) on conflict do nothing").format(self.feeds),
            [feed],
        )

    def columns(self) -> tuple[str, ...]:
        """The names of the table's columns; none if there is no table."""
        if not self._known:
            found = self._connection.execute(
                "select attname from pg_attribute where attrelid = to_regclass(%s) "
                "and attnum > 0 and not attisdropped order by attnum",
                [self.rows.as_string(None)],
            ).fetchall()
            self._known = tuple(name for (name,) in found)
        return self._known

    def check(self, columns: Sequence[str]) -> None:
        """Raises DeliveryError if the table lacks a column, or nothing keeps its key unique."""
        missing = [name for name in columns if name not in (*OWN, *self.columns())]
        if missing:
            one = f"column {missing[0]}" if len(missing) == 1 else "columns " + ", ".join(missing)
            raise DeliveryError(
                f"table {self.name} lacks the {one} of the feed; add what is missing with "
                f"`alter table {self.name} add column`, or take it out of the feed",
                is_temporary=False,
            )
        unique = self._connection.execute(
            "select array_agg(attname::text order by attname) from pg_index "
            "join pg_attribute on attrelid = indrelid and attnum = any(indkey) "
            "where indrelid = to_regclass(%s) and indisunique and indpred is null "
            "group by indexrelid",
            [self.rows.as_string(None)],
        ).fetchall()
        if sorted(self.key) not in [row[0] for row in unique]:
            raise DeliveryError(
                f"table {self.name} has no unique index on ({', '.join(self.key)}), which is the "
                "key of the feed; create one",
                is_temporary=False,
            )

    def create(self, schema: "pa.Schema") -> None:
        """Make the table from the types of the rows, if it is not there."""
        if self.columns():
            return
        types = [
            sql.SQL("{} {}").format(sql.Identifier(field.name), sql.SQL(_type(field.type)))
            for field in schema
        ]
        statement = sql.SQL("create table if not exists {} ({}, primary key ({}))").format(
            self.rows, sql.SQL(", ").join(types), _names(self.key)
        )
        with suppress(UniqueViolation):  # another process made it at the same moment
            self._connection.execute(statement)
        self.check(schema.names)

    def make_staging(self, schema: "pa.Schema") -> None:
        """An empty temporary table of rows as they come, which ends with the transaction."""
        # The columns have the table's types, so that a value is judged as it is copied.
        taken = self._taken(schema.names)
        self._connection.execute(
            sql.SQL(
                "create temporary table {} on commit drop as "
                "select {}, null::bigint as muster_sequence, null::text as muster_action "
                "from {} with no data"
            ).format(_STAGED, _names(taken), self.rows)
        )

    def _taken(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if name in self.columns()]

    def write(self, rows: "pa.Table", names: Sequence[str]) -> None:
        """Copy rows, each of another key, and remove or upsert by them."""
        taken = self._taken(names)
        self._connection.execute(sql.SQL("truncate {}").format(_STAGED))
        with self._connection.cursor().copy(
            sql.SQL("copy {} ({}, muster_sequence, muster_action) from stdin (format csv)").format(
                _STAGED, _names(taken)
            )
        ) as copy:
            copy.write(_csv(rows.select([*taken, "sequence", "action"])))
        parts = {
            "rows": self.rows, "staged": _STAGED, "names": _names(taken), "key": _names(self.key),
            "removing": sql.SQL(", ").join(map(sql.Literal, REMOVING)),
            "same": sql.SQL(" and ").join(
                sql.SQL("held.{0} = staged.{0}").format(sql.Identifier(name)) for name in self.key
            ),
            "set": sql.SQL(", ").join(
                sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in taken
            ),
            # A row that is replayed alone must not bring back what a later one replaced.
            "newer": sql.SQL("where held.sequence is null or held.sequence <= {}").format(
                sql.SQL("excluded.sequence")) if "sequence" in taken else sql.SQL(""),
            "older": sql.SQL("and (held.sequence is null or held.sequence <= muster_sequence)")
            if "sequence" in taken else sql.SQL(""),
        }  # fmt: skip
        self._connection.execute(
            sql.SQL(
                "delete from {rows} as held using {staged} as staged "
                "where {same} and muster_action in ({removing}) {older}"
            ).format(**parts)
        )
        self._connection.execute(
            sql.SQL(
                "insert into {rows} as held ({names}) select {names} from {staged} "
                "where muster_action not in ({removing}) "
                "on conflict ({key}) do update set {set} {newer}"
            ).format(**parts)
        )


def _names(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _type(kind: "pa.DataType") -> str:
    """PostgreSQL's type for one of Arrow."""
    import pyarrow.types as of

    simple = (
        (of.is_boolean, "boolean"),
        (of.is_uint64, "numeric"),
        (of.is_integer, "bigint"),
        (of.is_floating, "double precision"),
        (of.is_date, "date"),
        (of.is_time, "time"),
        (of.is_binary, "bytea"),
        (of.is_large_binary, "bytea"),
        (of.is_nested, "jsonb"),
    )
    if of.is_dictionary(kind):
        return _type(kind.value_type)
    if of.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    if of.is_decimal(kind):
        return f"numeric({kind.precision}, {kind.scale})"
    return next((name for is_it, name in simple if is_it(kind)), "text")


def copied(rows: "pa.Table") -> "pa.Table":
    """Rows of types that CSV has, as PostgreSQL reads them."""
    import pyarrow as pa
    import pyarrow.types as of

    for number, field in enumerate(rows.schema):
        if of.is_dictionary(field.type):
            texts = rows[field.name].cast(field.type.value_type)
            rows = rows.set_column(number, field.name, texts)
            continue
        if of.is_nested(field.type):
            texts = [
                None if v is None else as_json(v).decode() for v in rows[field.name].to_pylist()
            ]
        elif of.is_binary(field.type) or of.is_large_binary(field.type):
            texts = [None if v is None else "\\x" + v.hex() for v in rows[field.name].to_pylist()]
        else:
            continue
        rows = rows.set_column(number, field.name, pa.array(texts, pa.string()))
    return rows


def _csv(rows: "pa.Table") -> memoryview:
    """CSV in which null is nothing and an empty text is a pair of quotes, as COPY reads it."""
    from pyarrow import csv

    buffer = io.BytesIO()
    csv.write_csv(rows, buffer, csv.WriteOptions(include_header=False, quoting_style="all_valid"))
    return buffer.getbuffer()
