"""Waits for the warehouse file, which one process at a time can write.

An analyst's `dbt build` may hold it for a while; that is no reason for a build to fail.
"""

import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_SECONDS = 900.0


def wait_until_free(warehouse: Path, tell: Callable[[str], None]) -> None:
    """Return as soon as no other process holds the file; after a quarter of an hour, anyway."""
    import duckdb

    deadline = time.monotonic() + PATIENCE_SECONDS
    told = False
    while warehouse.exists() and time.monotonic() < deadline:
        try:
            # Not to write: only to see whether it could be.
            duckdb.connect(str(warehouse)).close()
            return
        except duckdb.IOException as error:
            if "lock" not in str(error):
                raise
            if not told:
                told = True
                tell(f"waiting for another process to leave the warehouse: {_cause(error)}")
            time.sleep(0.5)


def _cause(error: Exception) -> str:
    return str(error).splitlines()[0].split(". See also", maxsplit=1)[0]
