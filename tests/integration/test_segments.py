"""Segments that are wrong in every way: each is held alone, and keeps its last good members."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from orchestration.publication.snapshot import newest
from orchestration.resources.settings import PROJECT_ROOT, Settings
from tests.homes import SAMPLE_END

pytestmark = pytest.mark.builds(2)

GRAIN = "-- Grain: one row per profile that belongs to the segment.\n"
EVERYBODY = "select profile_id from {{ ref('profile_traits') }}"

# File below models/marts/segments/, its SQL, and what the build says of it.
BAD = {
    "seg_cart_abandoners.sql": ("select profile_id from nowhere", "nowhere does not exist"),
    "seg_content_explorers.sql": (f"{EVERYBODY} union all {EVERYBODY}", "repeat a profile"),
    "seg_frequent_visitors.sql": (
        "select profile_id as person from {{ ref('profile_traits') }}",
        "returns person but no profile_id",
    ),
    "seg_high_value.sql": (EVERYBODY, "holds everybody"),
    "seg_nulls.sql": ("select cast(null as varchar) as profile_id", "have no profile_id"),
    "seg_strangers.sql": ("select 'p_0' as profile_id", "a profile that does not exist"),
    "seg_unparsed.sql": ("select {{ profile_id from", "expected token"),
    "seg_missing.sql": ("select * from {{ ref('no_such_model') }}", "no_such_model"),
    "one/seg_twin.sql": (EVERYBODY, "two models with the name"),
    "two/seg_twin.sql": (EVERYBODY, "two models with the name"),
}
GOOD = f"{EVERYBODY} where order_count > 0"


def _run(project: Path, home: Settings) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "orchestration.cli", "run", "--as-of", SAMPLE_END],
        cwd=project,
        env={**os.environ, "MUSTER_HOME": str(home.home), "COLUMNS": "400", "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=False,
    )


def _rows(home: Settings, table: str, columns: str) -> list[tuple[object, ...]]:
    manifest = newest(home.published)
    assert manifest is not None
    path = home.published / "snapshots" / manifest.snapshot_id / f"{table}.parquet"
    return duckdb.sql(f"select {columns} from '{path}' order by all").fetchall()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout that a test may change."""
    folder = tmp_path / "checkout"
    for name in ("orchestration", "expectations", "dbt_project", "seeds/mappings"):
        unwanted = shutil.ignore_patterns("target", "logs", "__pycache__")
        shutil.copytree(PROJECT_ROOT / name, folder / name, ignore=unwanted)
    return folder


def test_a_bad_segment_is_held_and_the_others_are_published(
    project: Path, sample_copy: Settings
) -> None:
    before = _rows(sample_copy, "segment_memberships", "segment, profile_id")
    segments = project / "dbt_project" / "models" / "marts" / "segments"
    for name, (sql, _) in BAD.items():
        (segments / name).parent.mkdir(exist_ok=True)
        (segments / name).write_text(GRAIN + sql + "\n")
    for name in ("seg_content_explorers", "seg_frequent_visitors", "seg_high_value"):
        (segments / f"{name}.yml").unlink()  # or their unit tests would fail first
    (segments / "seg_buyers.sql").write_text(GRAIN + GOOD + "\n")
    done = _run(project, sample_copy)
    assert done.returncode == 0, done.stdout + done.stderr
    held = dict(_rows(sample_copy, "segment_catalog", "segment, coalesce(held_because, 'counts')"))
    for name, (_, told) in BAD.items():
        segment = Path(name).stem.removeprefix("seg_")
        assert told in str(held[segment]), held[segment]
        assert Path(name).stem in str(held[segment]), "names the file"
        assert told in done.stdout, "the summary says so, too"
    assert held["buyers"] == "counts"
    after = _rows(sample_copy, "segment_memberships", "segment, profile_id")
    kept = [row for row in after if row[0] != "buyers"]
    assert kept == [row for row in before if f"seg_{row[0]}.sql" in BAD or row in after]
    assert len(after) > len(kept)
    history = _rows(
        sample_copy, "segment_membership_history", "segment, entered_reason, exited_at is null"
    )
    assert ("buyers", "segment_is_new", True) in history
    assert all(is_member for _, _, is_member in history), "nobody left"
