"""Runs of the whole job that are killed or meet each other: running again repairs them."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from orchestration.publication.snapshot import newest, read_manifest, snapshot_ids
from orchestration.resources.settings import PROJECT_ROOT, Settings
from tests.homes import SAMPLE_END, checksums, know_project

pytestmark = pytest.mark.builds(4)

_STEPS = (
    "landing",
    "expectations_landing",
    "dbt_staging",
    "dbt_features",
    "models__scores",
    "dbt_profiles",
    "dbt_audiences",
    "dbt_published",
    "expectations_published",
    "published__snapshot",
    "feeds__segments",
)


def _without_landing_times(found: dict[str, str]) -> dict[str, str]:
    """For homes that landed the same files at different times."""
    told = {
        "freshness",
        "identity_map",
        "identity_rejections",
        "tracking_plan_violations",
        "tracking_plan_violations_v1",
    }
    told |= {"identity_merges", "identity_aliases"}
    return {name: one for name, one in found.items() if name not in told}


def _start(home: Path, as_of: str = SAMPLE_END) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "MUSTER_HOME": str(home),
        "MUSTER_PROJECT_SECRET": "a secret of the tests",
        "COLUMNS": "200",
    }
    command = [sys.executable, "-m", "orchestration.cli", "run", "--as-of", as_of]
    return subprocess.Popen(
        command,
        cwd=PROJECT_ROOT,
        env=environment,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _kill_at(home: Path, step: str, delay: float) -> None:
    """Start a run and kill -9 it `delay` seconds after it says that it began `step`."""
    process = _start(home)
    assert process.stderr is not None
    for line in process.stderr:
        if f" {step}" in line:
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    process.stderr.close()
    # A late kill may come after the run ended well; then there is nothing to repair.
    assert process.returncode in (-signal.SIGKILL, 0), f"the run failed before {step}"


def _finish_and_compare(home: Path, expected: dict[str, str]) -> None:
    process = _start(home)
    _, log = process.communicate()
    assert process.returncode == 0, log
    settings = Settings(home)
    found = _without_landing_times(checksums(newest(settings.published)))
    assert found == _without_landing_times(expected)
    rows = duckdb.sql(
        f"select sequence from read_parquet('{settings.feeds}/segments/*/*.parquet') order by 1"
    ).fetchall()
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    messages = duckdb.sql(
        f"""select sequence, action, decision_id
        from read_parquet('{settings.feeds}/campaigns/*/part-*.parquet') order by 1"""
    ).fetchall()
    assert [row[0] for row in messages] == list(range(1, len(messages) + 1))
    assert {row[1] for row in messages} == {"send"}
    decided = duckdb.sql(
        f"""select decision_id
        from read_parquet('{settings.ledger}/campaign_decisions/*.parquet')
        where decision = 'send'"""
    ).fetchall()
    # Each is decided once, and told once.
    assert sorted(row[2] for row in messages) == sorted(row[0] for row in decided)


@pytest.mark.soak
def test_thirty_killed_runs_are_repaired(sample_home: Settings, tmp_path: Path) -> None:
    """Kills at random moments of a run, each followed by a run; every third may finish."""
    seed = int(os.environ.get("MUSTER_SOAK_SEED", random.SystemRandom().randrange(10**6)))
    print(f"seed {seed}")
    chance = random.Random(seed)
    expected = checksums(newest(sample_home.published))
    home = tmp_path / "home"
    shutil.copytree(PROJECT_ROOT / "seeds" / "sample", home / "inbox")
    for kill in range(30):
        if kill % 10 == 0:  # from nothing again, so that landing is killed too
            shutil.rmtree(home)
            shutil.copytree(PROJECT_ROOT / "seeds" / "sample", home / "inbox")
        _kill_at(home, chance.choice(_STEPS), chance.uniform(0, 3))
        if kill % 3 == 2:
            _finish_and_compare(home, expected)


@pytest.mark.soak
def test_two_builds_at_once_come_one_after_the_other(sample_copy: Settings) -> None:
    """Both publish whole snapshots, and neither holds a table of the other's moment."""
    first = _start(sample_copy.home, "2026-10-01T00:00:00Z")
    second = _start(sample_copy.home, "2026-10-15T00:00:00Z")
    logs = [first.communicate()[1], second.communicate()[1]]
    assert (first.returncode, second.returncode) == (0, 0), logs
    assert any("waiting for another process (run" in log for log in logs)
    for snapshot_id in snapshot_ids(sample_copy.published)[1:]:
        manifest = read_manifest(sample_copy.published, snapshot_id)
        folder = sample_copy.published / "snapshots" / snapshot_id
        rows = duckdb.sql(
            f"select distinct as_of from read_parquet('{folder}/segment_catalog.parquet')"
        ).fetchall()
        assert [row[0].strftime("%Y-%m-%dT%H:%M:%SZ") for row in rows] == [manifest.as_of]


def test_a_killed_run_is_repaired_by_running_again(sample_home: Settings, tmp_path: Path) -> None:
    home = tmp_path / "home"
    know_project(home, sample_home.home)
    shutil.copytree(PROJECT_ROOT / "seeds" / "sample", home / "inbox")
    for step, delay in (("landing", 1.0), ("dbt_features", 2.0), ("published__snapshot", 0.02)):
        _kill_at(home, step, delay)
    _finish_and_compare(home, checksums(newest(sample_home.published)))
