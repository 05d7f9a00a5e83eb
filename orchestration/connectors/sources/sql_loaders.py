"""How rows of a query become Arrow, for dlt's `sql_table`: by ADBC where there is a driver for it.

Every column of the query is text already. Imported only when a database is read.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from dlt.sources.sql_database.helpers import BaseTableLoader, TableLoader

from orchestration.connectors.ahead import ahead

if TYPE_CHECKING:
    from sqlalchemy import Engine


class AdbcLoader(BaseTableLoader):
    """PostgreSQL's COPY in its binary form, straight into Arrow."""

    def load_rows(self, backend_kwargs: dict[str, Any] | None = None) -> Iterator[pa.Table]:
        """Chunks of about `chunk_size` rows; the next is fetched while one is worked on."""
        yield from ahead(self._chunks())

    def _chunks(self) -> Iterator[pa.Table]:
        from adbc_driver_postgresql import dbapi

        query = self.compile_query(self.make_query())
        with dbapi.connect(self.get_connection_url()) as connection, connection.cursor() as cursor:
            cursor.execute(query)
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
        for partition in result.partitions(size=self.chunk_size):
            columns = zip(*partition, strict=True)
            arrays = [pa.array(map(_text, column), pa.string()) for column in columns]
            yield pa.Table.from_arrays(arrays, names)


def _text(value: object) -> str | None:
    if isinstance(value, bytes):  # MySQL writes some casts as bytes
        return value.decode("utf-8", "replace")
    return None if value is None else str(value)


def loader_for(engine: "Engine") -> type[BaseTableLoader]:
    """The fastest loader for the engine's dialect."""
    return AdbcLoader if engine.dialect.name == "postgresql" else TextLoader
