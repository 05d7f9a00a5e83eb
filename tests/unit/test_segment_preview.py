"""`muster segment preview`, `new`, `list` and `test`: quick answers that a build agrees with."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.rendering.project import Project
from orchestration.resources.settings import DBT_PROJECT, PROJECT_ROOT, Settings
from orchestration.segments.errors import SegmentError
from orchestration.segments.new import new_segment
from orchestration.segments.preview import Preview, preview
from orchestration.segments.world import open_world
from tests.homes import muster_home

NAME = "high_value"
EVERYBODY = "select profile_id from {{ ref('profile_traits') }}"


@pytest.fixture(scope="module")
def settings(sample_home: Settings) -> Iterator[Settings]:
    with muster_home(sample_home.home):
        yield sample_home


def _previewed(
    settings: Settings, sql: str | None = None, parameters: Mapping[str, object] | None = None
) -> Preview:
    texts = {f"seg_{NAME}": sql} if sql else {}
    return preview(open_world(settings, parameters, texts), settings, NAME)


def test_what_is_published_is_what_its_file_says(settings: Settings) -> None:
    shown = _previewed(settings)
    (part,) = shown.parts
    assert (part.segment, part.size, part.entering, part.leaving) == (NAME, part.published, 0, 0)
    assert part.size > 0 and not shown.problems and not shown.made_anew
    assert shown.traits[0].name == "lifetime_value"


def test_who_enters_and_leaves_is_the_difference(settings: Settings) -> None:
    shown = _previewed(settings, parameters={"high_value_spend": 600})
    (part,) = shown.parts
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        rows = connection.execute(
            """select profile_id from marts.profile_traits
            where lifetime_value > 500 and lifetime_value <= 600 order by profile_id"""
        ).fetchall()
    assert part.leaving == len(rows) > 0 and part.entering == 0
    assert part.leaving_ids == tuple(row[0] for row in rows)[:5]


def test_overlaps_are_counted_by_people(settings: Settings) -> None:
    shown = _previewed(settings)
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        for one in shown.overlaps:
            row = connection.execute(
                f"""select count(*) from segments.seg_high_value
                where profile_id in (select profile_id from published.segment_memberships
                    where segment = '{one.segment}')"""
            ).fetchone()
            assert row == (one.both,)
            expected = shown.size * one.size / shown.everybody
            assert one.lift == pytest.approx(one.both / expected)
    assert shown.overlaps


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (f"{EVERYBODY} union all {EVERYBODY}", "of its rows repeat a profile; write select"),
        (
            "select cast(null as varchar) as profile_id from {{ ref('profile_traits') }} limit 2",
            "2 of its rows have no profile_id",
        ),
        ("select 'p_0' as profile_id", "1 of its rows name a profile that does not exist"),
        (EVERYBODY, "holds everybody; if that is right, say `meta: {may_hold_everybody: true}`"),
        (f"{EVERYBODY} where false", "holds nobody, and held 20 before; if that is right"),
        (
            "select profile_id, country from {{ ref('profile_traits') }} where order_count > 0",
            "country: only profile_id",
        ),
    ],
)
def test_what_a_build_would_refuse_is_said(settings: Settings, sql: str, words: str) -> None:
    (told,) = [problem.words for problem in _previewed(settings, sql).problems]
    assert words in told


@pytest.mark.parametrize(
    ("sql", "place"),
    [
        (f"{EVERYBODY}\nwhere\n    lifetime_valu > 1", ":3:5: Referenced column"),
        ("-- é\nselect profile_id\nfrm x", ":3:5: syntax error at or near"),
        ("-- é\nselect profile_id, zz as tag\nfrom (select 1 as a)", ":2:8: Referenced column"),
        ("select country from {{ ref('profile_traits') }}", "returns country but no profile_id"),
    ],
)
def test_sql_that_cannot_run_is_placed_in_the_file(
    settings: Settings, sql: str, place: str
) -> None:
    with pytest.raises(SegmentError) as refused:
        _previewed(settings, sql)
    assert place in str(refused.value)


def test_a_tag_is_a_segment_of_its_own(settings: Settings) -> None:
    sql = """select profile_id, case when order_count > 1 then 'again' else 'once' end as tag
        from {{ ref('profile_traits') }} where order_count > 0"""
    shown = _previewed(settings, sql)
    sizes = {part.segment: part.size for part in shown.parts}
    assert set(sizes) >= {"high_value_again", "high_value_once"}
    assert sizes["high_value_again"] + sizes["high_value_once"] == shown.size


def test_a_changed_threshold_upstream_is_followed(settings: Settings) -> None:
    """Sessions end after another pause, so they are made anew, and the segment counts those."""
    world = open_world(settings, {"session_timeout_minutes": 1})
    shown = preview(world, settings, "frequent_visitors")
    assert "int_events_sessionized" in shown.made_anew
    ((size,),) = world.connection.execute(
        f"select count(*) from {world.renderer.relation('int_sessions')}"
    ).fetchall()
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        ((built,),) = connection.execute(
            "select count(*) from intermediate.int_sessions"
        ).fetchall()
    assert size > built and shown.parts[0].entering > 0


@pytest.mark.parametrize("width", ["60", "120"])
def test_the_command_fits_the_terminal_and_its_page_stands_alone(
    settings: Settings, tmp_path: Path, width: str
) -> None:
    page = tmp_path / "page.html"
    arguments = ["segment", "preview", NAME, "--html", str(page)]
    told = CliRunner(env={"COLUMNS": width}).invoke(app, arguments)
    assert told.exit_code == 0, told.output
    lines = [line for line in told.stdout.splitlines() if "wrote" not in line]
    assert max(len(line) for line in lines) <= int(width)
    assert "20 of 2,018 profiles" in told.stdout
    html = page.read_text()
    assert 'class="bar"' in html and "http" not in html and "<script" not in html


def test_a_warehouse_that_is_written_is_told_plainly(sample_copy: Settings) -> None:
    code = f"import duckdb,time; c=duckdb.connect('{sample_copy.warehouse}'); print('x',flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", f"{code}; time.sleep(60)"], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        told = CliRunner().invoke(app, ["segment", "preview", NAME])
        listed = CliRunner().invoke(app, ["segment", "list", "--json"])
        writer.kill()
    assert told.exit_code == 2
    assert "is being written; try again after the build" in told.output
    sizes = {one["segment"]: one["size"] for one in json.loads(listed.stdout)}
    assert sizes[NAME] == 20  # published files are read whoever writes


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A copy in which files may be made."""
    folder = tmp_path / "dbt_project"
    shutil.copytree(DBT_PROJECT, folder, ignore=shutil.ignore_patterns("target", "logs"))
    (tmp_path / "seeds").symlink_to(PROJECT_ROOT / "seeds")
    return Project(folder)


@pytest.mark.parametrize(
    ("name", "other", "words"),
    [
        ("Big", "", "cannot be a segment's name"),
        ("big__spenders", "", "cannot be a segment's name"),
        ("1st", "", "cannot be a segment's name"),
        ("../x", "", "cannot be a segment's name"),
        ("high_value", "", "there is a segment 'high_value' already"),
        ("seg_high_value", "", "there is a segment 'high_value' already"),
        ("big", "nobody", "there is no segment 'nobody'"),
    ],
)
def test_a_bad_name_is_refused(project: Project, name: str, other: str, words: str) -> None:
    before = sorted(project.root.rglob("seg_*"))
    with pytest.raises(SegmentError, match=words):
        new_segment(project, name, "growth", other)
    assert sorted(project.root.rglob("seg_*")) == before


def test_a_new_segment_can_be_previewed_and_its_test_fails_until_filled_in(
    settings: Settings, tmp_path: Path, project: Project
) -> None:
    """dbt reads both kinds of new files; their unit tests fail with what is missing."""
    new_segment(project, "big_spenders", "growth")
    new_segment(project, "best_customers", "growth", "high_value")
    again = Project(project.root)
    shown = preview(open_world(settings, project=again), settings, "big_spenders")
    assert shown.size == 0 and shown.parts[0].published is None
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", "segment", "test", "--json"],
        cwd=_checkout(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    results = {one["name"]: one for one in json.loads(done.stdout)}
    failed = {name: one["message"] for name, one in results.items() if not one["passed"]}
    assert set(failed) == {
        "big_spenders_holds_who_belongs_and_nobody_else",
        "high_value_needs_more_than_the_spend_of_best_customers",
    }
    assert all("---,fill_in_who_belongs" in message for message in failed.values())
    assert results["high_value_needs_more_than_the_spend"]["passed"]
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        rows = connection.execute("select count(distinct build_id) from main.dbt_builds")
        assert rows.fetchall() == [(1,)]  # a test leaves no trace in the warehouse


def _checkout(folder: Path) -> Path:
    """The code beside the copied project, as in a checkout."""
    shutil.copytree(PROJECT_ROOT / "orchestration", folder / "orchestration")
    return folder
