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
from orchestration.cli_segment_options import parameters_of
from orchestration.rendering.places import FileError
from orchestration.rendering.project import Project
from orchestration.resources.settings import DBT_PROJECT, PROJECT_ROOT, Settings
from orchestration.segments.backtest import backtest
from orchestration.segments.errors import SegmentError
from orchestration.segments.explain.answer import explain
from orchestration.segments.listing import listed
from orchestration.segments.new import new_segment
from orchestration.segments.preview import Preview, preview
from orchestration.segments.unit_tests import UNREAD
from orchestration.segments.versions import other_version
from orchestration.segments.world import open_world
from tests.homes import SAMPLE_END, muster_home

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
        (
            "select * from {{ ref('profile_traits') }} where order_count > 0",
            " more: only profile_id and tag are published",
        ),
    ],
)
def test_what_a_build_would_refuse_is_said(settings: Settings, sql: str, words: str) -> None:
    (told,) = [problem.words for problem in _previewed(settings, sql).problems]
    assert words in told and len(told) < 200


@pytest.mark.parametrize(
    ("sql", "place"),
    [
        (f"{EVERYBODY}\nwhere\n    lifetime_valu > 1", ":3:5: Referenced column"),
        (
            "{{ config(meta={'priority': 'high'}) }}" + EVERYBODY,
            "in config(): priority must be a wh",
        ),
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


TAGGED = "select profile_id, {} as tag from {{{{ ref('profile_traits') }}}} where order_count > 0"


@pytest.mark.parametrize(
    ("segment", "tag", "words"),
    [
        ("loyal", "'Home'", 'its tag "Home" is no part of a name'),
        ("loyal", "case when order_count > 1 then 'yes' end", "of its rows have no tag"),
        ("interested_in", "'toys'", None),  # its own, as it is published
        ("interested_in", "'toys' || order_count", None),
        ("high", "'value'", "its segment high_value is one of seg_high_value already"),
        ("interested", "'in_toys'", "its segment interested_in_toys is one of seg_interested_in"),
    ],
)
def test_a_tag_is_refused_that_is_no_name_or_a_name_that_is_taken(
    settings: Settings, project: Project, segment: str, tag: str, words: str | None
) -> None:
    file = project.root / "models/marts/segments" / f"seg_{segment}.sql"
    file.write_text(TAGGED.format(tag))
    world = open_world(settings, project=Project(project.root))
    told = [one.words for one in preview(world, settings, segment).problems]
    assert (words is None and not told) or (words and words in told[0])


def test_a_file_cannot_take_the_name_of_a_tag(settings: Settings, project: Project) -> None:
    file = project.root / "models/marts/segments/seg_interested_in_toys.sql"
    file.write_text(f"{EVERYBODY} where order_count > 0")
    world = open_world(settings, project=Project(project.root))
    (told,) = preview(world, settings, "interested_in_toys").problems
    assert told.words.startswith("its segment interested_in_toys is one of seg_interested_in al")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["preview", NAME, "--sample", "-3"], "--sample -3: write how many profiles, 0 or more"),
        (["preview", "hgh_value"], "no segment 'hgh_value'; did you mean 'high_value'?"),
        (["preview", "interested_in_boks"], "'interested_in_boks'; did you mean 'interested_in_bo"),
        (["explain", "interested_in_boks", "PROFILE"], "; did you mean 'interested_in_books'"),
        (["backtest", "interested_in_boks", "--from", "LAST"], "; did you mean 'interested_in_bo"),
        (["preview", NAME, "--set", "high_value_spnd=3"], "; did you mean 'high_value_spend'?"),
        (["preview", NAME, "--set", "high_value_spend=abc"], "high_value_spend=abc: high_value_sp"),
        (["backtest", NAME, "--set", "high_value_spend=abc"], "wants a number, such as 500 (comp"),
        (["preview", NAME, "--set", "company_timezone=3"], "wants a text, such as Europe/Berlin"),
        (["backtest", NAME, "--against", "nosuch"], "--against nosuch: git knows no such revision"),
        (["preview", NAME, "--html", "/no/x.html"], "--html /no/x.html: there is no folder /no;"),
        (["backtest", NAME, "--html", "x.txt"], "--html x.txt: a page is a file, FILE.html"),
        (["backtest", NAME, "--to", "2027-01-01"], "--to 2027-01-01 00:00 is after the newest b"),
        (["backtest", NAME, "--from", "2027-01-01"], "which is as of 2026-11-01 00:00 UTC and"),
        (["test", "hgh_value"], "no segment 'hgh_value'; did you mean 'high_value'?"),
        (["explain", NAME, "PROFIL"], "no profile has or ever had that id; near it: PROFILE"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_before_any_output(
    settings: Settings, arguments: list[str], words: str
) -> None:
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        row = connection.execute("select min(profile_id) from marts.profile_traits").fetchone()
    assert row is not None
    said = {"PROFILE": row[0], "PROFIL": row[0][:-2], "LAST": SAMPLE_END}
    told = CliRunner().invoke(app, ["segment", *(said.get(one, one) for one in arguments)])
    assert told.exit_code == 2 and not told.stdout
    assert words.replace("PROFILE", row[0]) in told.stderr
    assert len(told.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("said", "value"), [("1e9", 10**9), ("2.5E-1", 0.25), ("1e999", None), ("500", 500)]
)
def test_a_number_is_set_as_people_write_it(said: str, value: object) -> None:
    assert parameters_of([f"x={said}"]) == {"x": said if value is None else value}


def test_a_segment_that_a_build_would_hold_for_its_files_is_refused(
    settings: Settings, project: Project
) -> None:
    """And no other one is troubled by it."""
    folder = project.root / "models/marts/segments"
    bad = {
        "circle": ("from {{ ref('seg_circle') }}", b""),
        "wrong": (EVERYBODY, b"models: [{name: seg_wrong, config: {meta: {priority: high}}}]"),
        "loyal": (EVERYBODY, b"hello\n"),
        "again": (EVERYBODY, b"models: [{name: seg_vip}]"),
        "bytes": (EVERYBODY, b"\xff\xfe"),
    }
    for name, (sql, text) in bad.items():
        (folder / f"seg_{name}.sql").write_text(sql)
        (folder / f"seg_{name}.yml").write_bytes(text)
    (folder / "sub").mkdir()
    (folder / "sub" / "seg_lapsed.sql").write_text(EVERYBODY)
    (folder / "seg_reader.sql").write_text("from {{ ref('seg_circle') }}")
    world = open_world(settings, project=Project(project.root))
    told = {
        "circle": "seg_circle.sql: reads itself: seg_circle -> seg_circle",
        "wrong": "seg_wrong.yml:1: priority must be a whole number",
        "loyal": "seg_loyal.yml:1: must be a block that begins with `models:`",
        "again": "seg_again.yml:1: seg_vip has a YAML of its own, seg_vip.yml",
        "bytes": "seg_bytes.yml: no text in UTF-8",
        "lapsed": "seg_lapsed.sql has the same name; rename one",
        "reader": "reads itself: seg_circle -> seg_circle",
    }
    for name, words in told.items():
        with pytest.raises(FileError) as refused:
            preview(world, settings, name)
        assert words in str(refused.value)
    with pytest.raises(FileError, match="reads itself"):
        explain(world, "circle", "p_0")
    with pytest.raises(FileError, match="reads itself"):
        backtest(world, "circle", [world.built_as_of])
    for name in ("vip", NAME):
        assert preview(world, settings, name).size > 0
    unpublished = {one.segment: one.state for one in listed(world.project, settings)}
    assert told["circle"] in unpublished["circle"] and told["wrong"] in unpublished["wrong"]


def test_a_revision_without_the_file_is_told(tmp_path: Path, project: Project) -> None:
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "none"]):
        named = ["-c", "user.name=x", "-c", "user.email=x@y.z"]
        subprocess.run(["git", "-C", str(project.root), *named, *command], check=True)
    with pytest.raises(SegmentError, match=r"HEAD: seg_vip\.sql was not there in that revision"):
        other_version(project, "seg_vip", "HEAD", {})


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
    told = [problem.words for problem in shown.problems]
    assert "seg_big_spenders.sql:4: still to be filled in: where 1 = 0" in told[0]
    assert "seg_big_spenders.yml:5: still to be filled in: description: " in told[1]
    _break(project.root / "models/marts/segments")
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", "segment", "test", "--json"],
        cwd=_checkout(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    unread = {one["model"]: one["message"] for one in told if one["name"] == UNREAD}
    assert {model: words.partition(f"{model}.")[2][:15] for model, words in unread.items()} == {
        "seg_no_sql": "sql:2:5: syntax",
        "seg_no_jinja": "sql:1: expected",
        "seg_no_yaml": "yml:1: no YAML:",
        "seg_no_model": "sql:1: there is",
        "seg_no_end": "sql: reads itse",
        "seg_no_meta": "yml:1: meta mus",
        "seg_no_words": "sql: dbt cannot",
    }
    # What cannot be read keeps no other from its test.
    results = {one["name"]: one for one in told if one["name"] != UNREAD}
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


def _break(folder: Path) -> None:
    """Segments that cannot be read, each in another way."""
    (folder / "seg_no_sql.sql").write_text("select profile_id\nfrm x")
    (folder / "seg_no_jinja.sql").write_text("select {{ profile_id from")
    (folder / "seg_no_yaml.sql").write_text(EVERYBODY)
    (folder / "seg_no_yaml.yml").write_text("models: [")
    (folder / "seg_no_model.sql").write_text("from {{ ref('nothing') }}")
    (folder / "seg_no_end.sql").write_text("from {{ ref('seg_no_end') }}")
    for name, config in (("meta", "meta: 7"), ("words", "contract: 7")):
        (folder / f"seg_no_{name}.sql").write_text(EVERYBODY)
        text = f"models: [{{name: seg_no_{name}, config: {{{config}}}}}]"
        (folder / f"seg_no_{name}.yml").write_text(text)


def _checkout(folder: Path) -> Path:
    """The code beside the copied project, as in a checkout."""
    shutil.copytree(PROJECT_ROOT / "orchestration", folder / "orchestration")
    return folder
