"""The tracking plan's judgement of events, against reading the same columns without it."""

from pathlib import Path

import duckdb
import pytest

from orchestration.connectors.contract import entities
from orchestration.connectors.sources.queries import open_connection
from orchestration.tracking_plan.judgement import reasons_sql
from orchestration.tracking_plan.plan import ENTITY, load_plan

ROWS = 1_000_000


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Landed events of all names of the plan, one in a hundred of them with a fault."""
    path: Path = tmp_path_factory.mktemp("events") / "events.parquet"
    names = list(load_plan()[0].events)
    values = {
        "event_id": "'e' || n",
        "name": f"{names}[1 + n % {len(names)}]",
        "occurred_at": "'2026-01-31T10:00:00Z'",
        "value": "case when n % 100 = 0 then 'much' else (n % 500)::varchar end",
        "product_id": "'p' || n % 1000",
        "properties": "case when n % 10 = 0 then '{\"video\": 3}' end",
    }
    columns = ", ".join(
        f'{values.get(name, "null::varchar")} as "{name}"' for name in entities()[ENTITY].columns
    )
    duckdb.sql(f"copy (select {columns} from range({ROWS}) as t (n)) to '{path}'")
    return f"read_parquet('{path}')"


def test_reading_the_columns(events: str, benchmark) -> None:  # type: ignore[no-untyped-def]
    lengths = ", ".join(f'max(length("{name}"))' for name in entities()[ENTITY].columns)
    with open_connection() as connection:
        query = f"select {lengths}, max(try_cast(occurred_at as timestamptz)) from {events}"
        benchmark.pedantic(lambda: connection.execute(query).fetchall(), rounds=3, warmup_rounds=1)


def test_judging(events: str, benchmark) -> None:  # type: ignore[no-untyped-def]
    query = f"select count({reasons_sql(load_plan()[1])}) from {events}"
    with open_connection() as connection:
        found = benchmark.pedantic(
            lambda: connection.execute(query).fetchall(), rounds=3, warmup_rounds=1
        )
    assert found[0][0] >= ROWS // 100
