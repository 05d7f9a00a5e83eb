"""Gives dbt's own connection the functions that its models call: `profiles.yml` names this module.

So `dbt build` alone has them, and so have unit tests and the SQL linter.
"""

from typing import TYPE_CHECKING

from dbt.adapters.duckdb.plugins import BasePlugin

from orchestration.resources.duckdb_functions import register

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Plugin(BasePlugin):
    """Registers the functions; `plugins` of dbt-duckdb asks for a class of this name."""

    def configure_connection(self, conn: "DuckDBPyConnection") -> None:
        """Called once for each process's connection, before any query."""
        register(conn)
