"""Scoring a million profiles by every model of predictions.yml, in a process of its own.

Features are those of a small simulated crowd, many times over under new ids, so that models are
real ones; each is of the family that its training chose. The limit is 30 seconds on two cores, with
4 GB; time is given for the wall and for the processor, and memory is the process's peak.
"""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.predictions.definitions import load_predictions
from orchestration.predictions.making import make_version
from orchestration.predictions.registry import Registry
from orchestration.resources.settings import PROJECT_ROOT
from tests import prediction_world as world

PROFILES = 1_000_000
LIMIT_SECONDS, LIMIT_GB = 30.0, 4.0

_SCORE = """
import json, resource, sys, time
from datetime import datetime
from pathlib import Path
import duckdb
from orchestration.predictions.definitions import load_predictions
from orchestration.predictions.registry import Registry
from orchestration.predictions.scoring import score_all
begun, worked = time.monotonic(), time.process_time()
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    connection.execute("set memory_limit = '1GB'; set enable_progress_bar = false")
    outcomes = score_all(
        connection, load_predictions(), Registry(Path(sys.argv[2])), datetime(2026, 6, 1)
    )
print(json.dumps({
    "wall": time.monotonic() - begun,
    "processor": time.process_time() - worked,
    "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
    "rows": {one.name: one.rows for one in outcomes},
    "trouble": [one.trouble for one in outcomes if one.trouble],
}))
"""


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The warehouse of a million, and models trained on the crowd it was made of."""
    folder = tmp_path_factory.mktemp("million")
    crowd = world.populated(6_000, first_day=date(2025, 9, 1))
    registry = Registry(folder / "models")
    definitions = load_predictions()
    for name in (*definitions.predictions, *definitions.clusters):
        made = make_version(name, definitions, crowd, registry)
        if made.refused:
            registry.promote(name, made.number, "to be timed", is_forced=True)
    warehouse = folder / "warehouse.duckdb"
    told = crowd.connection.execute(f"from ({crowd.at(crowd.as_of)})").to_arrow_table()
    with duckdb.connect(str(warehouse)) as connection:
        connection.register("told", told)
        connection.execute(
            f"""create schema intermediate;
            create table intermediate.int_profile_features as
            select told.* replace (
                'p' || number as profile_id,
                -- Everybody is scored by every model.
                least(days_since_last_activity, 80) as days_since_last_activity
            )
            from (select *, row_number() over () as place from told) as told
            inner join range({PROFILES}) as everybody(number)
                on told.place = 1 + number % {told.num_rows}"""
        )
        connection.execute("alter table intermediate.int_profile_features drop column place")
    return warehouse, folder / "models"


@pytest.mark.benchmark(group="scores of 1,000,000 profiles by all models")
def test_scoring(benchmark: object, ready: tuple[Path, Path]) -> None:
    def score() -> dict[str, object]:
        done = subprocess.run(
            [sys.executable, "-c", _SCORE, *map(str, ready)],
            cwd=PROJECT_ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        told: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
        return told

    told = benchmark.pedantic(score, rounds=1)  # type: ignore[attr-defined]
    print(told)
    assert told["trouble"] == []
    assert told["processor"] <= 2 * LIMIT_SECONDS
    assert told["gigabytes"] <= LIMIT_GB
