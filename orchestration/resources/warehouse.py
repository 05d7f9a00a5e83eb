"""The warehouse file, which one process at a time can write: waits for it, or opens it to read.

An analyst's `dbt build` may hold it for a while; that is no reason for a build to fail.
"""

import gc
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

PATIENCE_SECONDS = 900.0


class WarehouseError(RuntimeError):
    """The warehouse cannot be read now; the message says why and what to do."""


# What DuckDB says while another thread of this process still closes the file: the first of its
# two words while that connection is open otherwise, the second while it writes its checkpoint.
_CLOSING = ("different configuration", "Unique file handle conflict")


def wait_until_free(warehouse: Path, tell: Callable[[str], None]) -> None:
    """Return as soon as nobody else holds the file; after a quarter of an hour, anyway.

    Nobody else means no other process, and no thread of this one that is about to leave it.
    """
    import duckdb

    deadline = time.monotonic() + PATIENCE_SECONDS
    told = False
    while warehouse.exists() and time.monotonic() < deadline:
        try:
            # Not to write: only to see whether it could be. A connection that this process still
            # has would be shared with one of its own kind, and refuses the other.
            duckdb.connect(str(warehouse), read_only=True).close()
            duckdb.connect(str(warehouse)).close()
            return
        except (duckdb.BinderException, duckdb.ConnectionException) as error:
            if not any(words in str(error) for words in _CLOSING):
                raise
            gc.collect()  # what nobody refers to any more, but is part of a circle, closes now
            time.sleep(0.02)
        except duckdb.IOException as error:
            if "lock" not in str(error):
                raise
            if not told:
                told = True
                tell(f"waiting for another process to leave the warehouse: {_cause(error)}")
            time.sleep(0.5)


def _cause(error: Exception) -> str:
    return str(error).splitlines()[0].split(". See also", maxsplit=1)[0]


def open_to_read(warehouse: Path, needed: str) -> "duckdb.DuckDBPyConnection":
    """The warehouse, which this connection cannot change; times in UTC.

    Args:
        warehouse: the DuckDB file.
        needed: `schema.table` that must be there.

    Raises:
        WarehouseError: there is none, it lacks the table, or another process writes it.
    """
    import duckdb

    if not warehouse.exists():
        raise WarehouseError(f"{warehouse} is not there yet; build it with `muster run`")
    try:
        connection = duckdb.connect(str(warehouse), read_only=True)
    except duckdb.IOException as error:
        if "lock" not in str(error):
            raise WarehouseError(f"{warehouse} cannot be read: {_cause(error)}") from None
        raise WarehouseError(f"{warehouse} is being written; try again after the build") from None
    try:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"select 1 from {needed} limit 0")
    except duckdb.CatalogException:
        connection.close()
        raise WarehouseError(f"{warehouse} has no {needed} yet; run `muster run`") from None
    return connection
