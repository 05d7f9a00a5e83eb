"""JSON Lines to landing, against DuckDB's own COPY of the same file.

MUSTER_BENCH_PEOPLE sets the size: 20,000 people make a million events.
"""

import os
import shutil
from pathlib import Path

import duckdb
import pytest

from orchestration.connectors.contract import entities
from orchestration.connectors.sources.file_drop import land_inbox
from seeds.simulator.__main__ import main as simulate


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file of events."""
    folder = tmp_path_factory.mktemp("events")
    people = os.environ.get("MUSTER_BENCH_PEOPLE", "20000")
    simulate(["--people", people, "--days", "90", "--seed", "1", "--out", str(folder / "shop")])
    parts = f"{folder}/shop/inbox/web/events/*.jsonl.gz"
    path = folder / "inbox" / "web" / "events" / "all.jsonl"
    path.parent.mkdir(parents=True)
    duckdb.sql(
        f"""copy (
            select line from read_csv('{parts}', columns={{'line': 'varchar'}}, header=false,
                auto_detect=false, delim='\\x01', quote='', escape='') where json_valid(line)
        ) to '{path}' (format csv, header false, quote '', escape '', delimiter '\\x01')"""
    )
    return path


def test_duckdb_copy(events: Path, tmp_path: Path, benchmark) -> None:  # type: ignore[no-untyped-def]
    target = tmp_path / "copy.parquet"
    names = ", ".join(f"'{name}': 'VARCHAR'" for name in entities()["web_events"].columns)
    query = f"""copy (
        select * from read_json('{events}', format='newline_delimited', columns={{{names}}})
    ) to '{target}'"""
    benchmark.pedantic(lambda: duckdb.sql(query), rounds=3, warmup_rounds=1)


def test_landing(events: Path, tmp_path: Path, benchmark) -> None:  # type: ignore[no-untyped-def]
    def fresh() -> tuple[tuple[()], dict[str, object]]:
        shutil.rmtree(tmp_path / "home", ignore_errors=True)
        return (), {}

    def land() -> None:
        home = tmp_path / "home"
        report = land_inbox(events.parents[2], home / "landing", home / "dlt", "web")
        assert report.rows["web_events"] > 0

    benchmark.pedantic(land, setup=fresh, rounds=3, warmup_rounds=1)
