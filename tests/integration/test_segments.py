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
GOOD = f"{EVERYBODY} where order_count > 0"

# File below models/marts/segments/, its SQL, and what the build says of it, with the place.
BAD: dict[str, tuple[str | bytes, str]] = {
    "seg_cart_abandoners.sql": (
        "select profile_id from nowhere",
        ".sql:2: its test two_",
    ),
    "seg_content_explorers.sql": (f"{EVERYBODY} union all {EVERYBODY}", "repeat a profile"),
    "seg_frequent_visitors.sql": (
        "select profile_id as person from {{ ref('profile_traits') }}",
        "returns person but no profile_id",
    ),
    "seg_high_value.sql": (EVERYBODY, "holds everybody"),
    "seg_nulls.sql": ("select cast(null as varchar) as profile_id", "have no profile_id"),
    "seg_strangers.sql": ("select 'p_0' as profile_id", "a profile that does not exist"),
    "seg_unparsed.sql": ("select {{ profile_id from", ".sql:2: expected token"),
    "seg_missing.sql": (
        "select * from {{ ref('no_such_model') }}",
        ".sql:2: there is no model or seed 'no_such_model'",
    ),
    "one/seg_twin.sql": (EVERYBODY, "two/seg_twin.sql has the same name; rename one"),
    "two/seg_twin.sql": (EVERYBODY, "/seg_twin.sql has the same name; rename one"),
    "seg_syntax.sql": (f"{EVERYBODY}\nwere 1 = 1", '.sql:3:6: syntax error at or near "1"'),
    "seg_empty.sql": ("", ".sql: the file is empty: write a select"),
    "seg_column.sql": (f"{EVERYBODY}\nwhere  spend > 1", ".sql:3: Binder Error: Referenced column"),
    "seg_parameter.sql": (
        f"{EVERYBODY} where {{{{ parameter('nope') }}}} > 0",
        ".sql:2: parameters.yml has no parameter 'nope'",
    ),
    "seg_value.sql": (
        f"{EVERYBODY} where cast(country as int) > 0",
        ".sql:2: Conversion Error: Could not convert string '...' to INT32",
    ),
    "seg_files.sql": (
        "select content as profile_id\nfrom read_text('project_secret')",
        ".sql:3:6: read_text() reads something else than tables",
    ),
    "seg_loud.sql": (
        f"{EVERYBODY[:17]}, 'Loud' as tag{EVERYBODY[17:]}",
        'its tag "Loud" is no part',
    ),
    "seg_high.sql": (
        f"{EVERYBODY[:17]}, 'value' as tag{EVERYBODY[17:]} where order_count > 0",
        ": its segment high_value is one of seg_high_value already",
    ),
    "seg_yaml.sql": (GOOD, "seg_yaml.yml:6: no YAML: "),
    "seg_vip.sql": (GOOD, "seg_vip.yml:4: no YAML: "),
    "seg_from.sql": (
        EVERYBODY.replace("from", "frm") + " where",
        ".sql:2:23: syntax error at or near {{ ref('profile_traits') }}",
    ),
    "seg_fixture.sql": (
        GOOD,
        "seg_fixture.yml: its test fixture failed: the YAML of the unit test gives 'profile_traits'"
        " a column 'spend', which it does not have",
    ),
    "seg_differs.sql": (
        GOOD,
        "its test differs failed: of (profile_id), expected and missing: two, there and not "
        "expected: one",
    ),
    "seg_form.sql": (GOOD, "seg_form.yml:6: columns must be a list"),
    "seg_circle.sql": (
        "from {{ ref('seg_circle') }}",
        ".sql: reads itself: seg_circle -> seg_circle",
    ),
    "seg_reader.sql": ("from {{ ref('seg_circle') }}", ".sql: reads seg_circle, which is held"),
    "seg_round.sql": (
        "from {{ ref('seg_about') }}",
        "in a circle: seg_round -> seg_about -> seg_ro",
    ),
    "seg_about.sql": (
        "from {{ ref('seg_round') }}",
        "in a circle: seg_about -> seg_round -> seg_ab",
    ),
    "seg_behind.sql": (
        "from {{ ref('segment_memberships') }}",
        "in a circle: seg_behind -> segment_memberships -> ",
    ),
    "seg_priority.sql": (GOOD, "seg_priority.yml:6: priority must be a whole number"),
    "seg_maybe.sql": (GOOD, "seg_maybe.yml:5: may_be_empty must be true or false"),
    "seg_meta.sql": (GOOD, "seg_meta.yml:5: meta must be a block"),
    "seg_alias.sql": (GOOD, "seg_alias.yml:1: an alias (*) stands within what it stands for"),
    "seg_unnamed.sql": (GOOD, "dbt cannot read it: expected dict, got 7"),
    "seg_bytes.sql": (b"select 'M\xf6bel' as profile_id", ".sql: no text in UTF-8"),
    "seg_yaml_bytes.sql": (GOOD, "seg_yaml_bytes.yml: no text in UTF-8"),
}
ABOUT = """version: 2
models:
  - name: seg_{name}
    description: "Who belongs to {name}, and why."
    config: {{meta: {{owner: growth}}}}
    {more}
"""
UNIT_TEST = """columns: []
unit_tests:
  - name: {name}
    model: seg_{name}
    given: [{{input: ref('profile_traits'), rows: [{{profile_id: one, {column}: 1}}]}}]
    expect: {{rows: [{{profile_id: two}}]}}"""
YAML = {  # of some of them
    "seg_unparsed.yml": "columns: []",
    "seg_empty.yml": "columns: []",
    "seg_column.yml": "columns: []",
    "seg_yaml.yml": "columns: ]",
    "seg_fixture.yml": UNIT_TEST.format(name="fixture", column="spend"),
    "seg_differs.yml": UNIT_TEST.format(name="differs", column="order_count"),
    "seg_form.yml": "columns: 3",
    "seg_priority.yml": "meta: {exclusive_set: a, priority: high}",
    "seg_maybe.yml": "config: {meta: {may_be_empty: maybe}}",
    "seg_meta.yml": "config: {meta: 7}",
    "seg_alias.yml": "columns: &a [*a]",
    "seg_unnamed.yml": "config: {contract: 7}",
}


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
    before_about = {
        name: said
        for name, *said in _rows(sample_copy, "segment_catalog", "segment, description, owner")
    }
    segments = project / "dbt_project" / "models" / "marts" / "segments"
    for name, (sql, _) in BAD.items():
        (segments / name).parent.mkdir(exist_ok=True)
        whole = sql if isinstance(sql, bytes) else f"{GRAIN}{sql}\n".encode()
        (segments / name).write_bytes(whole)
    (segments / "seg_yaml_bytes.yml").write_bytes(b"\xff\xfe")
    for name in ("seg_content_explorers", "seg_frequent_visitors", "seg_high_value"):
        (segments / f"{name}.yml").unlink()  # or their unit tests would fail first
    for name, more in YAML.items():
        bare = Path(name).stem.removeprefix("seg_")
        text = ABOUT.format(name=bare, more=more)
        if more.startswith("config:"):  # instead of the usual one
            text = text.replace("    config: {meta: {owner: growth}}\n", "", 1)
        (segments / name).write_text(text)
    (segments / "seg_vip.yml").write_text("version: 2\nmodels:\n  - name: [\n}")
    (segments / "seg_buyers.sql").write_text(GRAIN + GOOD + "\n")
    done = _run(project, sample_copy)
    assert done.returncode == 0, done.stdout + done.stderr
    held = dict(_rows(sample_copy, "segment_catalog", "segment, coalesce(held_because, 'counts')"))
    for name, (_, told) in BAD.items():
        segment = Path(name).stem.removeprefix("seg_")
        if name != "two/seg_twin.sql":  # a row for both, of the first
            assert str(held[segment]).startswith("dbt_project/models/marts/segments/")
            assert f"{Path(name).stem}." in str(held[segment]), "names the file"
            assert told in str(held[segment]), held[segment]
        assert told in " ".join(done.stdout.split()), "the summary says so, too"
    assert held["buyers"] == "counts"
    about = {
        str(name): said
        for name, *said in _rows(sample_copy, "segment_catalog", "segment, description, owner")
    }
    for name in ("unparsed", "empty", "column", "form"):
        assert about[name] == [f"Who belongs to {name}, and why.", "growth"]
    assert about["vip"] == before_about["vip"], "its YAML cannot be read: as it was published"
    assert "segment unparsed (not published: no good members yet)" in done.stdout
    assert "segment vip (held: its last good members)" in done.stdout
    after = _rows(sample_copy, "segment_memberships", "segment, profile_id")
    kept = [row for row in after if row[0] != "buyers"]
    assert kept == [row for row in before if f"seg_{row[0]}.sql" in BAD or row in after]
    assert len(after) > len(kept)
    history = _rows(
        sample_copy, "segment_membership_history", "segment, entered_reason, exited_at is null"
    )
    assert ("buyers", "segment_is_new", True) in history
    assert all(is_member for _, _, is_member in history), "nobody left"
