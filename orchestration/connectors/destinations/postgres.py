"""PostgreSQL: one row for each key of a feed, and with them how far the feed came: exactly once.

A batch is one transaction. Rows travel by COPY into a temporary table, and become one upsert and
one delete. Statements are in `postgres_table.py`, what the server's errors mean in
`postgres_errors.py`.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote

import psycopg
from psycopg import sql

from orchestration.connectors.destinations.base import (
    Batch,
    DeliveryError,
    Destination,
    RowError,
    address,
)
from orchestration.connectors.destinations.postgres_errors import plainly, row_error
from orchestration.connectors.destinations.postgres_table import Table, copied
from orchestration.connectors.destinations.rows import after, last_of_each_key
from orchestration.connectors.secrets import resolved

if TYPE_CHECKING:
    import pyarrow as pa

# A data error is of one row; these too, as constraints are checked as each row is written.
_OF_A_ROW = (psycopg.errors.DataError, psycopg.errors.IntegrityError)


_LIKE = "postgresql://user:${PASSWORD}@host/database (or postgres://)"


class PostgresDestination(Destination):
    """A table, by default of the feed's name; `url` is `postgresql://user:${PASSWORD}@host/db`.

    `create_table` makes it from the first rows, if it is not there. The table belongs to the feed:
    nothing else writes rows to it.
    """

    type: Literal["postgres"]
    url: Annotated[str, address(_LIKE)]
    table: str = ""
    create_table: bool = True
    timeout_seconds: float = 60.0
    batch_rows: int = 20_000

    def place(self, feed: str) -> str:
        """The table."""
        return f"{self.url} table {self.table or feed}"

    def open(self, feed: str, columns: Sequence[str], key: Sequence[str]) -> "PostgresSession":
        """Connects, and compares the table's columns with those of the rows."""
        url = _resolved(self.url, f"destination of {feed}")
        milliseconds = int(1000 * self.timeout_seconds)

        def connect() -> "psycopg.Connection[Any]":
            connection = psycopg.connect(
                url,
                connect_timeout=max(2, int(min(self.timeout_seconds, 10))),
                application_name="muster",
                autocommit=True,
                prepare_threshold=None,  # a pooler may give each transaction another server
                tcp_user_timeout=milliseconds,  # of a server that vanished
            )
            connection.execute(sql.SQL("set statement_timeout = {}").format(milliseconds))
            return connection

        session = PostgresSession(connect, self, feed, columns, key)
        session.delivered(feed)
        return session


def _resolved(url: str, where: str) -> str:
    """The address with its secrets; those of user and password may hold any character."""
    scheme, mark, rest = url.partition("://")
    login, at, place = rest.rpartition("@")
    login = re.sub(r"\$\{\w+\}", lambda found: quote(resolved(found[0], where), safe=""), login)
    return resolved(f"{scheme}{mark}", where) + login + at + resolved(place, where)


class PostgresSession:
    """One connection; it remembers (`Remembers`) and can forget (`Clears`)."""

    def __init__(
        self,
        connect: "Callable[[], psycopg.Connection[Any]]",
        settings: PostgresDestination,
        feed: str,
        columns: Sequence[str],
        key: Sequence[str],
    ) -> None:
        self._connect, self._settings = connect, settings
        self._feed, self._columns, self._key = feed, columns, tuple(key)
        self._name = settings.table or feed
        self._connection: psycopg.Connection[Any] | None = None
        self._table: Table

    @contextmanager
    def _connected(self) -> "Iterator[psycopg.Connection[Any]]":
        """The connection, made anew after an error; errors come out as DeliveryError."""
        try:
            if self._connection is None:
                self._connection = self._connect()
                self._table = Table(self._connection, self._name, self._key)
                self._prepare()
            yield self._connection
        except BaseException as error:
            self.close()
            if isinstance(error, psycopg.Error):
                raise plainly(error, self._name) from None
            raise

    def _prepare(self) -> None:
        """Make the table of feeds, and see that the rows' table has what they need."""
        self._table.make_feeds(self._feed)
        if self._table.columns():
            self._table.check(self._columns)
        elif not self._settings.create_table:
            raise DeliveryError(
                f"there is no table {self._name}; create it, or set `create_table: true`",
                is_temporary=False,
            )

    def delivered(self, feed: str) -> int:
        """The last sequence that was committed."""
        with self._connected() as connection:
            return self._state(connection, feed)[0]

    def _state(
        self, connection: "psycopg.Connection[Any]", feed: str, lock: str = ""
    ) -> tuple[int, list[dict[str, Any]]]:
        row = connection.execute(
            sql.SQL("select last_sequence, refused from {} where feed = %s " + lock).format(
                self._table.feeds
            ),
            [feed],
        ).fetchone()
        return (row[0], row[1]) if row else (0, [])

    def deliver(self, batch: Batch) -> Sequence[RowError]:
        """Bring the table to where it stands after the batch, in one transaction.

        Of a batch that is there already, it returns what was refused of it then.
        """
        with self._connected() as connection:
            self._table.create(batch.rows.schema)
            with connection.transaction():
                # Two runs of one feed wait for each other here.
                last, stored = self._state(connection, batch.feed, "for update")
                refused = [
                    RowError(**one)
                    for one in ([] if batch.is_replayed else stored)
                    if batch.first_sequence <= one["sequence"] <= batch.last_sequence
                ]
                if batch.last_sequence <= last and not batch.is_replayed:
                    return refused
                rows = batch.rows if batch.is_replayed else after(batch.rows, last)
                self._table.make_staging(rows.schema)
                refused += self._apply(connection, last_of_each_key(rows, batch.key))
                if batch.last_sequence > last:
                    self._remember(connection, batch, refused)
                return refused

    def _apply(self, connection: "psycopg.Connection[Any]", rows: "pa.Table") -> list[RowError]:
        """Write rows; where one is refused, halve until it stands alone."""
        if rows.num_rows == 0:
            return []
        try:
            with connection.transaction():  # a savepoint
                self._table.write(copied(rows), rows.column_names)
            return []
        except _OF_A_ROW as error:
            if rows.num_rows == 1:
                return [row_error(int(rows["sequence"][0].as_py()), error)]
        half = rows.num_rows // 2
        return [
            *self._apply(connection, rows.slice(0, half)),
            *self._apply(connection, rows.slice(half)),
        ]

    def _remember(
        self, connection: "psycopg.Connection[Any]", batch: Batch, found: Sequence[RowError]
    ) -> None:
        refused = json.dumps(
            [{"sequence": e.sequence, "reason": e.reason, "is_final": e.is_final} for e in found]
        )
        final = batch.rows.slice(batch.rows.num_rows - 1).to_pylist()[0]
        connection.execute(
            sql.SQL(
                "insert into {} (feed, last_sequence, as_of, snapshot_id, refused) "
                "values (%s, %s, %s, %s, %s::jsonb) on conflict (feed) do update set "
                "last_sequence = excluded.last_sequence, as_of = excluded.as_of, "
                "snapshot_id = excluded.snapshot_id, refused = excluded.refused, "
                "updated_at = now()"
            ).format(self._table.feeds),
            [
                batch.feed,
                batch.last_sequence,
                final.get("as_of"),
                final.get("snapshot_id"),
                refused,
            ],
        )

    def clear(self, feed: str) -> None:
        """Empty the table and forget the feed, in one transaction."""
        with self._connected() as connection, connection.transaction():
            connection.execute(
                sql.SQL("delete from {} where feed = %s").format(self._table.feeds), [feed]
            )
            if self._table.columns():
                connection.execute(sql.SQL("delete from {}").format(self._table.rows))

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
