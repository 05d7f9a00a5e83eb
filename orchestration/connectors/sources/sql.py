"""Tables of a SQL database: PostgreSQL by ADBC, MySQL, MariaDB and SQLite by SQLAlchemy.

Every column is cast to text by the database itself, so a value lands as the database writes it and
no driver's types come between. Sessions are set to UTC and ISO forms (`sql_connection`).

One pull is one statement, so one consistent state of the table. What changes while it runs, and
what commits later with an older cursor value, comes with the next pull, whose window overlaps.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, simplefilter

from pydantic import Field, model_validator

from orchestration.connectors.mapped import Mapper, needed_columns
from orchestration.connectors.sources.base import Batch, Cursor, Part, Source, SourceError
from orchestration.connectors.sources.overlap import Overlap, cursor_type
from orchestration.connectors.sources.sql_errors import plainly

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Engine, Select, Table

CHUNK_ROWS = 100_000


class TablePart(Part):
    """One table or view.

    `columns` are those to read (default: all), besides those that cursor and mapping name. With a
    `cursor` column a pull reads the rows whose value is not more than `overlap_minutes` (of a
    number: `overlap`) below the highest seen so far, and those without a value; without one it
    reads the whole table. Rows that landed before, unchanged, do not land again.
    """

    columns: list[str] = Field(default_factory=list)
    cursor: str = ""
    overlap_minutes: float = 10.0
    overlap: int = 0

    def is_compared(self, cursor: Cursor | None) -> bool:
        """Also a table without a cursor."""
        return super().is_compared(cursor) or not self.cursor


class SqlSource(Source):
    """A database; `url` is a SQLAlchemy address such as `postgresql://me:${PASSWORD}@host/db`."""

    url: str
    tables: list[TablePart]

    @model_validator(mode="before")
    @classmethod
    def _name_parts(cls, values: Any) -> Any:
        """A part is called after its table."""
        tables = values.get("tables") if isinstance(values, dict) else None
        if not isinstance(tables, list) or not all(isinstance(entry, dict) for entry in tables):
            return values
        named = [
            {"name": entry["table"], **{k: v for k, v in entry.items() if k != "table"}}
            if "table" in entry
            else entry
            for entry in tables
        ]
        return {**values, "tables": named}

    def parts(self) -> Sequence[TablePart]:
        """The tables."""
        return self.tables

    @cached_property
    def _engine(self) -> "Engine":
        from orchestration.connectors.sources.sql_connection import engine

        return engine(self.url, self.secret)

    def _reflected(self, part: TablePart) -> "Table":
        """The table as the database's catalogue describes it, with the wanted columns only.

        Raises:
            SourceError: there is no such table or column, or it must not be seen.
        """
        from sqlalchemy import MetaData, Table
        from sqlalchemy.exc import NoSuchTableError, SAWarning

        schema, _, name = part.name.rpartition(".")
        try:
            metadata = MetaData(schema=schema or None)
            with catch_warnings():
                # Of types that SQLAlchemy does not know; as text they are read all the same.
                simplefilter("ignore", SAWarning)
                # Tables that this one refers to may be hidden from this user, and are not needed.
                found = Table(name, metadata, autoload_with=self._engine, resolve_fks=False)
        except NoSuchTableError:
            raise SourceError(
                f"there is no table {part.name} (or this user may not see it); name it with its "
                "schema, such as sales.orders"
            ) from None
        gone = [column for column in _named(part) if column not in found.c]
        if gone:
            raise SourceError(
                f"column {', '.join(gone)} is gone; {part.name} has {', '.join(found.c.keys())}. "
                "Change columns, cursor and mapping of this table in sources.yml; other tables go "
                "on"
            )
        return found

    def _as_text(self, column: Any) -> Any:  # a SQLAlchemy column to a SQLAlchemy expression
        from sqlalchemy import Integer, String, cast, func, type_coerce
        from sqlalchemy.dialects.mysql import BIT
        from sqlalchemy.sql.sqltypes import _Binary

        # Only PostgreSQL writes bytes as text; elsewhere a cast of them may give null.
        if isinstance(column.type, _Binary) and self._engine.name != "postgresql":
            return func.hex(column)
        if isinstance(column.type, BIT):  # MySQL would write its bytes; of this it makes a number
            column = type_coerce(column, Integer) + 0
        # MySQL casts to CHAR, which SQLAlchemy calls String.
        return cast(column, String)

    def _query(self, part: TablePart, table: "Table", overlap: Overlap | None) -> "Select[Any]":
        """The rows of one pull, all columns as text."""
        from sqlalchemy import String, cast, literal, or_, select

        names = _named(part) if part.columns else list(table.c.keys())
        query = select(*[self._as_text(table.c[name]).label(name) for name in names])
        begin = overlap.begin if overlap else None
        if overlap and begin is not None:
            column = table.c[part.cursor]
            bound: Any = literal(begin, String)
            if self._engine.dialect.name == "postgresql":
                bound = cast(bound, column.type)
            elif overlap.kind == "number" and self._engine.dialect.name != "sqlite":
                # MySQL compares text with numbers as doubles; a cast of less than 0 to an unsigned
                # type would be huge, and one of a time would lose parts of a second.
                bound = literal(Decimal(begin))
            query = query.where(or_(column >= bound, column.is_(None)))
        return query

    def read(self, part: Part, cursor: Cursor | None) -> Iterator[Batch]:
        """The new and changed rows of a table, or all of them; see `TablePart`."""
        assert isinstance(part, TablePart)
        try:
            table = self._reflected(part)
            overlap = None
            if part.cursor:
                kind = cursor_type(part.cursor, table.c[part.cursor].type)
                size = part.overlap if kind == "number" else part.overlap_minutes * 60
                overlap = Overlap(part.cursor, kind, size, cursor)
            for rows in self._rows(table, self._query(part, table, overlap)):
                yield Batch(overlap.new_rows(rows) if overlap else rows)
            if overlap:
                yield Batch(None, overlap.cursor, notes=overlap.notes)
        except SourceError:
            raise
        except Exception as error:
            raise plainly(error) from error

    def present_keys(self, part: Part) -> "Iterator[pa.Table]":
        """The columns that key and `deleted` name, of all rows there are."""
        from sqlalchemy import select

        assert isinstance(part, TablePart)
        try:
            table = self._reflected(part)
            expressions = [*part.key_expressions, part.mapping.deleted]
            names = sorted(needed_columns(part.mapping, expressions))
            columns = [self._as_text(table.c[name]).label(name) for name in names]
            yield from self._rows(table, select(*columns))
        except SourceError:
            raise
        except Exception as error:
            raise plainly(error) from error

    def _rows(self, table: "Table", query: "Select[Any]") -> "Iterator[pa.Table]":
        """The query's rows through dlt's loaders, in chunks of text columns."""
        from orchestration.connectors.sources.sql_loaders import loader_for

        kinds = {column.name: str(column.type) for column in table.c}
        # Not dlt's sql_table around it, which would leave the connection of a read that ends early
        # open until some time later, and has types and state to look after that are not needed.
        loader = loader_for(self._engine)(
            self._engine,
            backend="pyarrow",
            table=table,
            columns={},
            chunk_size=CHUNK_ROWS,
            query_adapter_callback=lambda _query, _table: query,
        )
        for rows in loader.load_rows():
            yield _with_kinds(rows, kinds)

    def problems(self) -> list[str]:
        """Connects, and reads and maps one row of each table."""
        found = []
        for part in self.parts():
            try:
                table = self._reflected(part)
                if part.cursor:
                    cursor_type(part.cursor, table.c[part.cursor].type)
                query = self._query(part, table, None)
                mapper = Mapper(part.entity, part.mapping, f"{self.name}/{part.name}")
                mapper.check([column.name for column in query.selected_columns])
                for rows in self._rows(table, query.limit(1)):
                    mapper(rows)
            except Exception as error:
                told = error if isinstance(error, SourceError) else plainly(error)
                place = f"{self.name}/{part.name}: "
                found.append(place + str(told).removeprefix(place))
                if told.is_of_source:
                    break
        return found


def _named(part: TablePart) -> list[str]:
    """Columns that the definition names: to read, as cursor, and in the mapping's expressions."""
    cursor = [part.cursor] if part.cursor else []
    return list(dict.fromkeys([*part.columns, *cursor, *sorted(needed_columns(part.mapping))]))


def _with_kinds(rows: "pa.Table", kinds: dict[str, str]) -> "pa.Table":
    """Each column tells the type it has at the source, so that a change of it is seen."""
    import pyarrow as pa

    fields = [
        field.with_metadata({"source_type": kinds.get(field.name, "text")}) for field in rows.schema
    ]
    return rows.cast(pa.schema(fields))
