"""A SQLAlchemy dialect through which Great Expectations can read a DuckDB file.

Great Expectations fetches rows after the connection went back to its pool, and going back ends the
transaction, with which DuckDB drops the result ("list index out of range"). Here transactions are
never begun, so none ends. The file is opened read-only: that is what makes it safe to have none,
and what keeps validation from changing what it judges.
"""

from pathlib import Path
from typing import Any

from duckdb_sqlalchemy import Dialect
from sqlalchemy.dialects import registry

SCHEME = "duckdb+reader"


class ReaderDialect(Dialect):
    """DuckDB's dialect, read-only and without transactions."""

    # Deliberately not renamed: Great Expectations and the compilers look for "duckdb".
    driver = "reader"
    supports_statement_cache = True

    def connect(self, *args: Any, **options: Any) -> Any:
        """A read-only connection whose times are UTC."""
        connection = super().connect(*args, **{**options, "read_only": True})
        connection.execute("set TimeZone = 'UTC'")
        return connection

    def do_begin(self, dbapi_connection: Any) -> None:
        """Nothing: see the module's reason."""

    def do_commit(self, dbapi_connection: Any) -> None:
        """Nothing: see the module's reason."""

    def do_rollback(self, dbapi_connection: Any) -> None:
        """Nothing: see the module's reason."""


def connection_string(warehouse: Path) -> str:
    """URL for SQLAlchemy; registers the dialect, as often as one likes."""
    registry.register(SCHEME.replace("+", "."), __name__, ReaderDialect.__name__)
    return f"{SCHEME}:///{warehouse.resolve()}"
