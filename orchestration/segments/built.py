"""What the warehouse says of its newest build: its moment, its tables, and what they were made of.

Only read: it is attached to a database in memory. What models say now belongs to `world.py`.
"""

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.rendering.context import DATABASE
from orchestration.resources.settings import Settings
from orchestration.resources.warehouse import WarehouseError

if TYPE_CHECKING:
    import duckdb


def attached(warehouse: Path, working: Path) -> "duckdb.DuckDBPyConnection":
    """A database in memory with the warehouse beside it, which it cannot change.

    Raises:
        WarehouseError: there is no warehouse yet, or another process writes it.
    """
    import duckdb

    if not warehouse.exists():
        raise WarehouseError(f"{warehouse} is not there yet; build it with `muster run`")
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.execute("set preserve_insertion_order = false")
    connection.execute("set errors_as_json = true")
    connection.execute(f"set temp_directory = '{working}/segments'")
    if limit := os.environ.get("MUSTER_MEMORY_LIMIT"):
        connection.execute(f"set memory_limit = '{limit}'")
    try:
        connection.execute(f"attach '{warehouse}' as {DATABASE} (read_only)")
    except duckdb.IOException as error:
        if "lock" in str(error):
            raise WarehouseError(
                f"{warehouse} is being written; try again after the build"
            ) from None
        raise WarehouseError(f"{warehouse} cannot be read: {error}") from None
    return connection


def newest_as_of(connection: "duckdb.DuckDBPyConnection", settings: Settings) -> datetime:
    """The moment of the newest build.

    Raises:
        WarehouseError: there was none.
    """
    import duckdb

    try:
        row = connection.execute(
            f"select max_by(as_of, number) from {DATABASE}.main.dbt_builds"
        ).fetchone()
    except duckdb.CatalogException:
        row = None
    if row is None or row[0] is None:
        raise WarehouseError(f"{settings.warehouse} was never built; run `muster run`")
    return row[0]  # type: ignore[no-any-return]


def relations_of(connection: "duckdb.DuckDBPyConnection", kind: str) -> set[str]:
    """Tables or views of the warehouse, as `schema.name`."""
    # No bound value: for one, DuckDB would import pandas, which takes a second.
    rows = connection.execute(
        f"""select schema_name || '.' || {kind[:-1]}_name from duckdb_{kind}()
        where database_name = '{DATABASE}'"""
    ).fetchall()
    return {row[0] for row in rows}


def noted_of(connection: "duckdb.DuckDBPyConnection") -> dict[str, tuple[str, str]]:
    """What a build noted of the tables it made: the hashes of file and SQL, by name."""
    import duckdb

    try:
        rows = connection.execute(
            f"select name, file_hash, sql_hash from {DATABASE}.main.dbt_built_models"
        ).fetchall()
    except duckdb.CatalogException:
        return {}
    return {name: (file_hash, sql_hash) for name, file_hash, sql_hash in rows}
