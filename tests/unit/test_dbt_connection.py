"""dbt's connection can be read while dbt works, and is not closed under the reader."""

import threading
from types import SimpleNamespace

import duckdb
import pytest

from orchestration.resources import dbt


def test_dbt_closes_the_warehouse_after_its_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    opened = duckdb.connect()

    class Environment(SimpleNamespace):
        def __del__(self) -> None:  # as dbt-duckdb's own
            opened.close()

    monkeypatch.setattr(DuckDBConnectionManager, "_ENV", Environment(conn=opened))
    closing = threading.Thread(target=dbt._close_connections)
    with dbt.borrowed() as connection:
        assert connection is not None
        closing.start()
        closing.join(0.2)
        assert closing.is_alive()
        assert connection.execute("select 1").fetchone() == (1,)
    closing.join(10)
    assert not closing.is_alive()
    with dbt.borrowed() as connection:
        assert connection is None
    with pytest.raises(duckdb.ConnectionException):
        opened.execute("select 1")
