"""How rows of a query become Arrow, as loaders of dlt: by ADBC where there is a driver for it.

Every column of the query is text already. Imported only when a database is read.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from dlt.sources.sql_database.helpers import BaseTableLoader, TableLoader

from orchestration.connectors.ahead import ahead
from orchestration.connectors.sources.sql_connection import POSTGRES_SETTINGS

if TYPE_CHECKING:
    from sqlalchemy import Engine


class AdbcLoader(BaseTableLoader):
    """PostgreSQL's COPY in its binary form, straight into Arrow."""

    def load_rows(self, backend_kwargs: dict[str, Any] | None = None) -> Iterator[pa.Table]:
        """Chunks of about `chunk_size` rows; the next is fetched while one is worked on."""
        yield from ahead(self._chunks())

    def _chunks(self) -> Iterator[pa.Table]:
        from adbc_driver_postgresql import dbapi
        from sqlalchemy.dialects import postgresql

        # Not dlt's compile_query: it doubles each % for a driver that would halve it again.
        dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
        query = self.make_query().compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        settings = ", ".join(
            f"set_config('{name}', '{value}', true)" for name, value in POSTGRES_SETTINGS.items()
        )
        with dbapi.connect(self.get_connection_url()) as connection, connection.cursor() as cursor:
            cursor.execute(f"select {settings}")  # of this transaction, which a pooler keeps whole
            cursor.fetchall()
            cursor.execute(str(query))
            waiting: list[pa.RecordBatch] = []
            rows = 0
            for batch in cursor.fetch_record_batch():
                waiting.append(batch)
                rows += batch.num_rows
                if rows >= self.chunk_size:
                    yield pa.Table.from_batches(waiting)
                    waiting, rows = [], 0
            if rows:
                yield pa.Table.from_batches(waiting)


class TextLoader(TableLoader):
    """Any database that SQLAlchemy knows; slower, since rows pass through Python."""

    def _convert_result(self, result: Any, backend_kwargs: dict[str, Any]) -> Iterator[pa.Table]:
        names = list(result.keys())
        try:
            for partition in result.partitions(size=self.chunk_size):
                columns = zip(*partition, strict=True)
                arrays = [pa.array(map(_text, column), pa.string()) for column in columns]
                yield pa.Table.from_arrays(arrays, names)
        except BaseException:
            _abandon(result)
            raise


def _abandon(result: Any) -> None:  # a SQLAlchemy result
    """Drop the connection with what was not read.

    PyMySQL would read a result to its end before it closes it, also where the connection is gone.
    """
    unread = getattr(result.cursor, "_result", None)
    if unread is not None:
        unread.unbuffered_active = False
    result.connection.invalidate()


def _text(value: object) -> str | None:
    if isinstance(value, bytes):  # MySQL writes some casts as bytes
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.hex().upper()
    return None if value is None else str(value)


def loader_for(engine: "Engine") -> type[BaseTableLoader]:
    """The fastest loader for the engine's dialect."""
    return AdbcLoader if engine.dialect.name == "postgresql" else TextLoader
