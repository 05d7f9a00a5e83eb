"""A segment is one SQL file and its YAML: a build finds it, with nothing else to edit.

The collecting macros read dbt's own list of files, which is no public interface, and rely on
partial parsing being off. So the project is parsed once before the file is added: with partial
parsing, or with another shape of that list, the new segment would be missing without an error.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[2]
SEGMENT = """-- Grain: one row per profile that belongs to the segment.
select cast('somebody' as varchar) as profile_id
"""
DESCRIPTION = """version: 2

models:
  - name: seg_added
    description: Somebody's segment.
    config:
      meta: {owner: growth}
    columns:
      - name: profile_id
        description: Profile.
"""


def copy_of_project(folder: Path) -> Path:
    """dbt_project/ and the seeds beside it, copied to where a file may be added."""
    project = folder / "dbt_project"
    unwanted = shutil.ignore_patterns("target", "logs")
    shutil.copytree(ROOT / "dbt_project", project, ignore=unwanted)
    shutil.copytree(ROOT / "seeds" / "mappings", folder / "seeds" / "mappings")
    return project


def dbt(project: Path, home: Path, *arguments: str) -> None:
    """Run dbt in the copy of the project, with `home` as MUSTER_HOME."""
    folders = {
        "MUSTER_HOME": str(home),
        "DBT_TARGET_PATH": str(home / "target"),
        "DBT_LOG_PATH": str(home / "logs"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", *arguments],
        cwd=project,
        env=os.environ | folders,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def rows(home: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_a_new_segment_file_is_collected(tmp_path: Path) -> None:
    project = copy_of_project(tmp_path)
    folder = project / "models" / "marts" / "segments"
    home = tmp_path / "home"
    home.mkdir()
    dbt(project, home, "parse")
    (folder / "seg_added.sql").write_text(SEGMENT)
    (folder / "seg_added.yml").write_text(DESCRIPTION)
    nodes = ["--resource-type", "model", "--resource-type", "seed"]
    dbt(project, home, "build", "--select", "+segment_catalog", *nodes)

    segments = rows(home, "select segment from published.segment_catalog order by segment")
    models = {path.stem.removeprefix("seg_") for path in folder.glob("*.sql")}
    assert segments == sorted((name,) for name in models - {"interested_in"}), "nobody has a tag"
    candidates = "select profile_id from membership.segment_candidates where segment = 'added'"
    assert rows(home, candidates) == [("somebody",)]
    entry = "description, owner, is_held, held_because"
    catalogue = f"select {entry} from published.segment_catalog where segment = 'added'"
    told = "1 of its rows name a profile that does not exist"
    file = "dbt_project/models/marts/segments/seg_added.sql"
    assert rows(home, catalogue) == [("Somebody's segment.", "growth", True, f"{file}: {told}")]
