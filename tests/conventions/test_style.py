"""The style of the project, tested: what it asks for is in CONTRIBUTING.md."""

import ast
import re
import statistics
import subprocess
from pathlib import Path

import pytest
import yaml

from orchestration.predictions.definitions import load_predictions
from orchestration.resources.settings import DBT_PROJECT, PROJECT_ROOT

PACKAGES = ("orchestration", "expectations", "seeds", "tests", "benchmarks")
MODELS = sorted((DBT_PROJECT / "models").rglob("*.sql"))
MODULES = sorted(path for name in PACKAGES for path in (PROJECT_ROOT / name).rglob("*.py"))
CODE = [path for path in MODULES if "tests" not in path.parts and "benchmarks" not in path.parts]


def _name(path: Path) -> str:
    return path.relative_to(PROJECT_ROOT).as_posix()


def _bare(path: Path) -> str:
    return re.sub(r"--.*|\{#.*?#\}", "", path.read_text())


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert not tree.body or ast.get_docstring(tree), f"{_name(path)} has no charter"


def test_modules_and_functions_stay_small() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in CODE}
    assert [_name(path) for path, length in lengths.items() if length > 350] == []
    assert statistics.median(lengths.values()) <= 120
    functions = [
        (node.end_lineno or 0) - node.lineno + 1
        for path in CODE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert statistics.quantiles(functions, n=10)[-1] <= 45


@pytest.mark.parametrize(
    "folder",
    [
        "campaigns",
        "connectors",
        "feeds",
        "identity",
        "publication",
        "predictions",
        "rendering",
        "segments",
        "tracking_plan",
    ],
)
def test_plain_python_stays_free_of_dagster_and_dbt(folder: str) -> None:
    for path in (PROJECT_ROOT / "orchestration" / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            framework = [name for name in names if re.match(r"dagster|dbt\b", name)]
            assert not framework, f"{_name(path)} imports {framework}"


def test_imports_go_one_way() -> None:
    """connectors, identity, publication and feeds know nothing of the rooms that use them."""
    for folder in ("connectors", "identity", "feeds", "publication"):
        for path in (PROJECT_ROOT / "orchestration" / folder).rglob("*.py"):
            text = path.read_text()
            for room in ("assets", "automation", "checks", "resources", "cli"):
                assert f"from orchestration.{room}" not in text, f"{_name(path)} imports {room}"


@pytest.mark.parametrize("path", MODELS, ids=_name)
def test_a_model_never_reads_the_clock(path: Path) -> None:
    clock = r"\b(now\(\)|current_timestamp|current_date|get_current_time|today\(\))"
    assert not re.search(clock, _bare(path), re.IGNORECASE)


@pytest.mark.parametrize("path", MODELS, ids=_name)
def test_a_model_is_small_and_joins_little(path: Path) -> None:
    joins = len(re.findall(r"\bjoin\b", _bare(path), re.IGNORECASE))
    limit = 0 if "staging" in path.parts else 3
    assert joins <= limit, f"{joins} joins: an intermediate model is missing"
    assert len(path.read_text().splitlines()) <= 120


@pytest.mark.parametrize("path", MODELS, ids=_name)
def test_a_model_states_its_grain_first(path: Path) -> None:
    assert path.read_text().startswith("-- Grain: one row per "), "the first line is the grain"


def test_every_model_has_its_own_yaml_with_every_column_described() -> None:
    """An older version, such as `x_v1`, stands in the YAML of the newest."""
    for path in [*MODELS, *(DBT_PROJECT / "models").rglob("int_*.py")]:
        name = re.sub(r"_v\d+$", "", path.stem)
        beside = path.with_name(f"{name}.yml")
        assert beside.exists(), f"{_name(beside)} is missing"
        (model,) = yaml.safe_load(beside.read_text())["models"]
        assert model["name"] == name
        assert model["description"].strip()
        undescribed = [
            column["name"] for column in model["columns"] if not column.get("description")
        ]
        assert not undescribed, f"{_name(beside)}: {undescribed}"


def test_every_published_table_has_a_consumer() -> None:
    """An exposure says who reads it, so that lineage ends in people and tools."""
    raw = yaml.safe_load((DBT_PROJECT / "models/exposures.yml").read_text())
    read = {one for exposure in raw["exposures"] for one in exposure["depends_on"]}
    published = {path.stem for path in MODELS if path.parent.name == "published"}
    refs = {re.sub(r"'(.+)_v(\d+)'", r"'\1', v=\2", f"ref('{name}')") for name in published}
    assert refs <= read


def test_engine_sql_stands_in_macros_engine_only() -> None:
    words = r"\b(read_parquet|read_json|read_csv|qualify|try_cast|glob)\b"
    for path in [*MODELS, *(DBT_PROJECT / "macros").glob("*.sql")]:
        found = re.findall(words, _bare(path), re.IGNORECASE)
        assert not found, f"{_name(path)} speaks one engine's SQL: {found}"


def test_every_parameter_has_value_unit_and_meaning_and_is_used() -> None:
    parameters = yaml.safe_load((DBT_PROJECT / "parameters.yml").read_text())
    sql = "\n".join(path.read_text() for path in MODELS)
    for name, entry in parameters.items():
        assert set(entry) == {"value", "unit", "meaning"}, name
        assert f"parameter('{name}')" in sql, f"no model uses {name}"
    for name in re.findall(r"parameter\('(\w+)'\)", sql):
        assert name in parameters, f"parameters.yml has no {name}"


def test_landing_yaml_and_input_contract_agree() -> None:
    from orchestration.connectors.contract import entities

    raw = yaml.safe_load((DBT_PROJECT / "models/staging/landing.yml").read_text())
    tables = {table["name"]: table for table in raw["sources"][0]["tables"]}
    for name, entity in entities().items():
        columns = [column["name"] for column in tables[name]["columns"]]
        assert columns[: len(entity.columns)] == list(entity.columns)


def test_nothing_committed_names_a_machine_or_an_index() -> None:
    files = subprocess.run(
        ["git", "ls-files"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "uv.lock" not in files
    # Put together here, so that this file does not hold what it looks for.
    pattern = re.compile(
        "|".join(["/" + "root/", "/" + "home/[a-z]", "index" + "-url", "file:" + "///opt"])
    )
    for name in files:
        path = PROJECT_ROOT / name
        if path.suffix in {".py", ".sql", ".yml", ".toml", ".md", ".txt", ".csv"} and path.exists():
            assert not pattern.search(path.read_text()), name


def test_every_cluster_that_may_be_named_has_its_segment() -> None:
    for clusters in load_predictions().clusters.values():
        for name in clusters.names:
            assert (DBT_PROJECT / "models" / "marts" / "segments" / f"seg_{name}.sql").exists(), (
                name
            )
