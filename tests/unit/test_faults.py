"""What is wrong with a segment's files is told with its place, before dbt or DuckDB is asked."""

import shutil
from pathlib import Path

import pytest

from orchestration.rendering.dependencies import in_order
from orchestration.rendering.faults import fault_of, placed, unfinished
from orchestration.rendering.places import FileError
from orchestration.rendering.project import Project
from orchestration.rendering.renderer import Renderer
from orchestration.resources.dbt_project import Project as DbtProject
from orchestration.resources.dbt_words import FIXTURE, plain
from orchestration.resources.settings import DBT_PROJECT, PROJECT_ROOT
from orchestration.segments.new import new_segment

GRAIN = "-- é Grain: one row per profile that belongs to the segment.\n"
EVERYBODY = "select profile_id from {{ ref('profile_traits') }}"
FOLDER = Path("models/marts/segments")
ABOUT = "models:\n  - {name: seg_x, description: Who is x., config: {meta: {owner: growth}}}\n"


_UNIT = "unit_tests:\n  - name: t\n    model: seg_x\n"


def _yaml(more: str) -> str:
    return f"models:\n  - name: seg_x\n    {more}\n"


def _meta(more: str) -> str:
    return _yaml(f"config: {{meta: {{{more}}}}}")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which `seg_x` may be written."""
    folder = tmp_path_factory.mktemp("faults") / "dbt_project"
    shutil.copytree(DBT_PROJECT, folder, ignore=shutil.ignore_patterns("target", "logs"))
    (folder.parent / "seeds").symlink_to(PROJECT_ROOT / "seeds")
    return folder


def _told(root: Path, sql: str | bytes, text: str = ABOUT) -> str:
    """The fault of a segment, without its folder; nothing if there is none."""
    file = root / FOLDER / "seg_x.sql"
    file.write_bytes(sql if isinstance(sql, bytes) else (GRAIN + sql).encode())
    file.with_suffix(".yml").write_text(text, encoding="latin-1")
    project = Project(root)
    fault = fault_of(Renderer(project), project.models["seg_x"])
    return str(fault).replace(f"{root / FOLDER}/", "") if fault else ""


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("", "seg_x.sql: the file is empty: write a select that returns profile_id"),
        ("{% if false %}select 1{% endif %}", "seg_x.sql: the file is empty"),
        ("select 1; select 2", "seg_x.sql: the file is more than one statement"),
        ("select profile_id\nfrm x", 'seg_x.sql:3:5: syntax error at or near "x"'),
        (
            "select profile_id\nfrm {{ ref('profile_traits') }} where",
            "seg_x.sql:3:5: syntax error at or near {{ ref('profile_traits') }}",
        ),
        ("select {{ profile_id from", "seg_x.sql:2: expected token"),
        ("\nselect * from {{ ref('no') }}", "seg_x.sql:3: there is no model or seed 'no'"),
        ("select {{ 1 / 0 }}", "seg_x.sql:2: division by zero"),
        ("select {{ parameter('no') }}", "seg_x.sql:2: parameters.yml has no parameter 'no'"),
        (b"select 'M\xf6bel'", "seg_x.sql: no text in UTF-8"),
        (f"{EVERYBODY}, read_text('/x')", "seg_x.sql:2:53: read_text() reads something else"),
        ("select 1\nfrom (from Read_CSV('x'))", "seg_x.sql:3:12: read_csv() reads something"),
        ("with a as (from glob('*')) select 1", "seg_x.sql:2:17: glob() reads something else"),
        ("select 1 in (select x from query('select 1'))", "seg_x.sql:2:28: query() reads"),
        ("select 1\nfrom '/etc/passwd'", "seg_x.sql:3:6: '/etc/passwd' reads something else"),
        ('select 1 from "x.parquet"', "seg_x.sql:2:15: 'x.parquet' reads something else"),
        ("from (pivot (from read_text('x')) on size)", "seg_x.sql:2:19: read_text() reads"),
        ("from (pivot (from 'x.csv') on size)", "seg_x.sql:2:19: 'x.csv' reads something"),
        ("from {{ ref('seg_x') }}", "seg_x.sql: reads itself: seg_x -> seg_x"),
        (
            "from {{ ref('segment_candidates') }}",
            "seg_x.sql: reads itself, in a circle: seg_x -> segment_candidates -> seg_x",
        ),
        (
            "from {{ ref('segment_memberships') }}",
            "seg_x.sql: reads itself, in a circle: seg_x -> segment_memberships -> ",
        ),
        (
            "{{ config(meta={'priority': 'high'}) }}" + EVERYBODY,
            "seg_x.sql: in config(): priority must be a whole number",
        ),
    ],
)
def test_sql_that_no_build_may_run_is_told(root: Path, sql: str | bytes, words: str) -> None:
    assert _told(root, sql).startswith(words)


@pytest.mark.parametrize(
    "sql",
    [
        EVERYBODY,
        f"{EVERYBODY} where country in (select unnest(['DE']) from range(3), unnest([1]))",
        "from (pivot (select 1 as profile_id, 2 as x) on x using count(*))",
        f"with read_text as ({EVERYBODY}) select * from read_text where profile_id like 'x.csv'",
        "select profile_id, repeat('a', 2) as tag from (values ('p')) as v (profile_id)",
    ],
)
def test_sql_that_reads_tables_alone_is_let_pass(root: Path, sql: str) -> None:
    assert not _told(root, sql)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("models:\n  - a: b\n   c: d\n", "seg_x.yml:3: no YAML: while parsing a block coll"),
        ('models:\n  - name: "x\n    y\n', "seg_x.yml:2: no YAML: while scanning a quoted scalar"),
        ("models: {{ x }}\n", "seg_x.yml:1: no YAML: while constructing a mapping"),
        ("models: [a\xff]", "seg_x.yml: no text in UTF-8"),
        (_yaml("description: 2026-13-01"), "seg_x.yml: no YAML: month must be in 1..12; write"),
        ("just words\n", "seg_x.yml:1: must be a block that begins with `models:`"),
        ("models: 3\n", "seg_x.yml:1: models must be a list"),
        ("version: 2\nmodels: [x]\n", "seg_x.yml:2: a model must be a block with a `name:`"),
        ("models:\n  - columns: []\n", "seg_x.yml:2: a model must be a block with a `name:`"),
        (_yaml("description: &a [*a]"), "seg_x.yml:1: an alias (*) stands within what it stands"),
        (_yaml("description: 7"), "seg_x.yml:3: description must be text"),
        (_yaml("description: "), "seg_x.yml:3: description must be text"),
        (_yaml("columns: {}"), "seg_x.yml:3: columns must be a list"),
        (_yaml("config: 7"), "seg_x.yml:3: config must be a block"),
        (_yaml("config: {meta: 7}"), "seg_x.yml:3: meta must be a block of `name: value` lines"),
        (_yaml("config:\n      meta: "), "seg_x.yml:4: meta must be a block"),
        (_yaml("config: {enabled: false}"), "seg_x.yml:3: enabled must be true: to do without"),
        (_yaml("config: {tags: 7}"), "seg_x.yml:3: tags must be text, or a list of texts"),
        (_meta("priority: high"), "seg_x.yml:3: priority must be a whole number, such as 1"),
        (_meta("priority: true"), "seg_x.yml:3: priority must be a whole number"),
        (_meta("priority: 1.5"), "seg_x.yml:3: priority must be a whole number"),
        (_meta("may_be_empty: maybe"), "seg_x.yml:3: may_be_empty must be true or false"),
        (_meta("may_hold_everybody: 1"), "seg_x.yml:3: may_hold_everybody must be true or fal"),
        (_meta("owner: "), "seg_x.yml:3: owner must be a name"),
        (_meta("owner: ''"), "seg_x.yml:3: owner must be a name"),
        (_meta("exclusive_set: [a]"), "seg_x.yml:3: exclusive_set must be a name"),
        (_meta("dagster: {group: x}"), "seg_x.yml:3: dagster is not for segments"),
        (_yaml("meta: {priority: high}"), "seg_x.yml:3: priority must be a whole number"),
        (_yaml("columns: []\n  - name: seg_x"), "seg_x.yml:4: seg_x is described twice; keep"),
        (_yaml("columns: []\n  - name: seg_vip"), "seg_x.yml:4: seg_vip has a YAML of its own,"),
        ("unit_tests: 7\n", "seg_x.yml:1: unit_tests must be a list"),
        ("unit_tests: [x]\n", "seg_x.yml:1: a unit test must be a block"),
        ("unit_tests:\n  - {name: x, model: y}\n", "seg_x.yml:2: a unit test must have `given:`"),
        (_UNIT + "    given: 7\n    expect: {}\n", "seg_x.yml:4: given must be a list"),
        ("sources: 7\n", "seg_x.yml:1: sources is not for segments: leave it out"),
        ("", ""),
        ("version: 2\n", ""),
        (_meta("exclusive_set: a, priority: 1, may_be_empty: true, team: x"), ""),
        (_yaml("config: {tags: [a, b], enabled: true}\n  - name: seg_none"), ""),
    ],
)
def test_yaml_that_cannot_be_read_is_told(root: Path, text: str, words: str) -> None:
    told = _told(root, EVERYBODY, text)
    assert told.startswith(words) and bool(told) == bool(words)


def test_segments_that_read_each_other_in_a_circle_are_told(root: Path) -> None:
    """Each of the circle; not who reads one of them, who lacks it and nothing else."""
    read = {"b1": "b2", "b2": "b3", "b3": "b1", "reader": "b1"}
    files = {name: root / FOLDER / f"seg_{name}.sql" for name in read}
    for name, other in read.items():
        files[name].write_text(f"select profile_id from {{{{ ref('seg_{other}') }}}}")
    project = Project(root)
    renderer = Renderer(project)
    told = {name: fault_of(renderer, project.models[f"seg_{name}"]) for name in read}
    for file in files.values():
        file.unlink()
    assert told["reader"] is None
    assert told["b2"] is not None and told["b2"].is_certain
    assert told["b2"].words == "reads itself, in a circle: seg_b2 -> seg_b3 -> seg_b1 -> seg_b2"
    with pytest.raises(FileError, match="in a circle: seg_b"):
        in_order({f"seg_{name}": (f"seg_{other}",) for name, other in read.items()})


def test_what_names_no_file_is_found_out_by_leaving_segments_out(
    root: Path, tmp_path: Path
) -> None:
    _told(root, EVERYBODY)
    names = sorted(Project(root).named("marts/segments", "seg_"))
    for bad in (names[0], "x", names[-1], "nobody"):
        project, asked = DbtProject(root, tmp_path / bad), 0

        def parse(folder: Path, bad: str = bad) -> str | None:
            nonlocal asked
            asked += 1
            left_out = folder / ".dbtignore"
            is_out = left_out.exists() and f"/seg_{bad}.*" in left_out.read_text()
            return None if is_out else f"Internal Error in {folder}: expected this, got that"

        if bad == "nobody":  # it is no segment's fault: said after one more look
            assert project.read(parse) == f"Internal Error in {root}: expected this, got that"
            assert asked == 2 and project.refused() == []
        else:
            assert project.read(parse) is None and asked <= 10
            (one,) = project.refused()
            assert (one.model, one.reason) == (
                bad,
                f"dbt cannot read it: in {root}: expected this, got that",
            )


def test_yaml_beside_no_segment_is_left_out_too(root: Path, tmp_path: Path) -> None:
    _told(root, EVERYBODY)
    stray = root / FOLDER / "notes.yaml"
    stray.write_text("models: [{name: seg_vip}]")
    project = DbtProject(root, tmp_path)
    assert project.read(lambda folder: None) is None
    stray.unlink()
    (one,) = project.refused()
    assert one.place.endswith("notes.yaml:1") and one.reason.startswith("seg_vip has a YAML of its")


def test_the_segments_of_the_project_are_without_fault() -> None:
    project = Project()
    renderer = Renderer(project)
    for model in project.named("marts/segments", "seg_").values():
        assert fault_of(renderer, model) is None and not unfinished(model)


def test_what_is_not_filled_in_is_told(root: Path) -> None:
    for file in new_segment(Project(root), "new_one", "growth"):
        assert file.exists()
    sql, yml = (str(one) for one in unfinished(Project(root).models["seg_new_one"]))
    assert "seg_new_one.sql:4: still to be filled in: where 1 = 0" in sql
    assert 'seg_new_one.yml:5: still to be filled in: description: "Fill in: who' in yml


def test_the_line_that_duckdb_quotes_is_found_in_the_file(root: Path) -> None:
    _told(
        root, "select profile_id\n{% set x = 1 %}\nfrom\n    {{ ref('profile_traits') }}\n  where a"
    )
    project = Project(root)
    said = 'Binder Error: no column "a" LINE 14: where a ^'
    told = placed(Renderer(project), project.models["seg_x"], said)
    assert str(told).endswith('seg_x.sql:6: Binder Error: no column "a"')


def test_a_bad_fixture_is_of_the_yaml(root: Path) -> None:
    _told(root, EVERYBODY)
    project = Project(root)
    words = f"its test t failed: {FIXTURE} gives 'a' a column 'b', which it does not have"
    assert str(placed(Renderer(project), project.models["seg_x"], words)).endswith(
        f"seg_x.yml: {words}"
    )


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "Runtime Error in model x (models/x.sql)\n  Parser Error: no\n  compiled code at x",
            "Parser Error: no",
        ),
        (
            "Runtime Error in unit_test t (models/x.yml)\n  An error occurred during execution of "
            "unit test 't'. There may be an error in the unit test definition: check the data "
            "types.\n Runtime Error\n Catalog Error: no table\n\n    LINE 13: from nowhere\n ^",
            "Catalog Error: no table LINE 13: from nowhere ^",
        ),
        (
            "Parsing Error\n  Invalid models config given in models/x.yml @ models: {'name': 'x', "
            "'columns': 3} - at path ['columns']: 3 is not of type 'array'",
            "in its YAML, at ['columns']: 3 is not of type 'array'",
        ),
        (
            "Compilation Error in model x (models/x.sql)\n  no parameter\n  > in macro y (z)",
            "no parameter",
        ),
        (
            "Conversion Error: Could not convert string 'ann@firm.org' to INT32 when casting",
            "Conversion Error: Could not convert string '...' to INT32 when casting",
        ),
        (
            "Compilation Error in unit_test t (models/x.yml)\n  Invalid column name: 'b' in unit "
            "test fixture for 'a'.\n  Accepted columns for 'a' are: ['c', 'd']\n\n  > in macro x",
            "the YAML of the unit test gives 'a' a column 'b', which it does not have",
        ),
        (
            "actual differs from expected:\n\n@@ ,profile_id,tag\n   ,one       ,x\n"
            "+++,five      ,x\n+++,six       ,x\n---,two       ,y\n",
            "of (profile_id, tag), expected and missing: two, y, there and not expected: five, x; "
            "six, x",
        ),
        (
            "actual differs from expected:\n\n@@,profile_id,tag\n→ ,one,x→y\n",
            "of (profile_id, tag), expected → there: one, x→y",
        ),
        (
            "Compilation Error\n  Model 'model.muster.seg_x' (models/marts/segments/seg_x.sql) "
            "depends on a node named 'seg_y' which was not found",
            "reads seg_y, which is held itself or not there",
        ),
        ("Got 2 results, configured to fail if != 0", "Got 2 results, configured to fail if != 0"),
    ],
)
def test_of_what_dbt_says_the_cause_is_kept(said: str, words: str) -> None:
    assert plain(said) == words


def test_segments_that_cannot_be_read_are_left_out_with_what_their_yaml_says(
    root: Path, tmp_path: Path
) -> None:
    """dbt is asked about what is left; what it blames is left out, too, in its words."""
    _told(root, "")
    for name, text in (("a", "models: ["), ("b", ABOUT.replace("seg_x", "seg_b"))):
        (root / FOLDER / f"seg_{name}.sql").write_text(EVERYBODY)
        (root / FOLDER / f"seg_{name}.yml").write_text(text)
    project, asked = DbtProject(root, tmp_path), []

    def parse(folder: Path) -> str | None:
        asked.append((folder / ".dbtignore").read_text())
        is_blamed = "seg_b" not in asked[-1]
        # Without `models/`, as dbt writes it where YAML is no YAML.
        return "Parsing Error\n  at marts/segments/seg_b.yml: no" if is_blamed else None

    assert project.read(parse) is None
    assert len(asked) == 2 and "seg_x.*" in asked[0] and "seg_a.*" in asked[0]
    refused = {one.model: one for one in project.refused()}
    for name in "ab":
        for file in (root / FOLDER).glob(f"seg_{name}.*"):
            file.unlink()
    assert set(refused) == {"x", "a", "b"}
    assert (refused["x"].description, refused["x"].owner) == ("Who is x.", "growth")
    assert (refused["a"].description, refused["a"].owner) == (None, None)
    assert refused["a"].place.endswith("seg_a.yml:1") and "no YAML" in refused["a"].reason
    assert refused["b"].reason.endswith("seg_b.yml: no") and refused["b"].owner == "growth"
