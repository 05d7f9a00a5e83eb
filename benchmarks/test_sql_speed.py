"""PostgreSQL to landing, against a bare Arrow fetch of the same table."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.connectors.pull import pull
from orchestration.connectors.sources.sql import SqlSource
from tests.postgres import execute, postgres

ROWS = 3_000_000
COLUMNS = ("order_id", "customer_id", "total", "status", "ordered_at", "updated_at")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server with one table of three million orders."""
    with postgres() as (address, _):
        execute(
            address,
            f"""create table orders as
            select n as order_id, 'c' || (n % 1000) as customer_id,
                ((n % 10000) / 7.0)::numeric(12, 2) as total, 'completed' as status,
                timestamp '2026-01-01' + n * interval '1 second' as ordered_at,
                timestamptz '2026-01-01' + n * interval '1 second' as updated_at,
                md5(n::text) as note
            from generate_series(1, {ROWS}) n""",
        )
        yield address


def test_bare_fetch(url: str, benchmark) -> None:  # type: ignore[no-untyped-def]
    from adbc_driver_postgresql import dbapi

    def fetch() -> None:
        with dbapi.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("select * from orders")
            assert sum(batch.num_rows for batch in cursor.fetch_record_batch()) == ROWS

    benchmark.pedantic(fetch, rounds=3, warmup_rounds=1)


def test_pull(url: str, tmp_path: Path, benchmark) -> None:  # type: ignore[no-untyped-def]
    table = {
        "table": "orders",
        "entity": "shop_orders",
        "cursor": "updated_at",
        "mapping": {"columns": {name: f'"{name}"' for name in COLUMNS}},
    }
    source = SqlSource(name="erp", url=url, tables=[table])

    def fresh() -> tuple[tuple[()], dict[str, object]]:
        shutil.rmtree(tmp_path / "landing", ignore_errors=True)
        return (), {}

    def land() -> None:
        report = pull(source, source.parts()[0], tmp_path / "landing", tmp_path / "state")
        assert report.rows == ROWS

    benchmark.pedantic(land, setup=fresh, rounds=3, warmup_rounds=1)
