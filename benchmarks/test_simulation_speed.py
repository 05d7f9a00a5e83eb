"""`muster campaign simulate` over 30 days of 100,000 profiles, a run every quarter of an hour.

The warehouse of the sample fifty times over: each copy is other people who did the same. The limit
is two minutes on two cores, the whole command.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.resources.settings import PROJECT_ROOT, Settings, load_settings
from tests.homes import SAMPLE_END, muster_home

COPIES = 50
LIMIT_SECONDS = 120.0
# Ids that belong to a person; those of products and campaigns are the same for all.
_OWN = ("profile_id", "alias_profile_id", "recipient_id", "session_id", "event_id", "cart_id",
        "order_id", "device_id", "last_added_id", "next_event_id")  # fmt: skip
_SCHEMAS = ("intermediate", "marts", "membership")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A MUSTER_HOME whose warehouse holds 100,000 profiles."""
    from orchestration.automation.run import run_full_build

    with muster_home(tmp_path_factory.mktemp("many")):
        settings = load_settings()
        shutil.copytree(PROJECT_ROOT / "seeds" / "sample", settings.inbox, dirs_exist_ok=True)
        assert run_full_build(settings, SAMPLE_END, full_refresh=False).success
        multiply(settings.warehouse, COPIES)
        yield settings


def multiply(warehouse: Path, copies: int) -> None:
    """Give each person of a warehouse so many others with the same history."""
    with duckdb.connect(str(warehouse)) as connection:
        tables = connection.execute(
            """select schema_name, table_name, list(column_name)
            from duckdb_columns() inner join duckdb_tables() using (schema_name, table_name)
            where list_contains(?, schema_name) group by all""",
            [_SCHEMAS],
        ).fetchall()
        for schema, table, columns in tables:
            own = [name for name in columns if name in _OWN]
            if not {"profile_id", "order_id"}.intersection(own):
                continue
            renamed = ", ".join(f"{name} || '_' || copy as {name}" for name in own)
            connection.execute(
                f"""insert into {schema}.{table} select one.* replace ({renamed})
                from {schema}.{table} as one, range(1, {copies}) as copies(copy)"""
            )


def _simulate(home: Settings) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "muster"), "campaign", "simulate", "cart_reminder"],
        cwd=PROJECT_ROOT,
        env={**os.environ, "MUSTER_HOME": str(home.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "messages of all campaigns" in done.stdout


def test_a_month_of_100_000_profiles(home: Settings, benchmark) -> None:  # type: ignore[no-untyped-def]
    benchmark.pedantic(_simulate, args=[home], rounds=1)
    assert benchmark.stats["max"] <= LIMIT_SECONDS
