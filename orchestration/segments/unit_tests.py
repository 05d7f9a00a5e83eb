"""dbt's unit tests of segments, run against empty tables: never the warehouse, never its data.

dbt asks the tables that a test replaces for their columns. They are made without rows in a scratch
MUSTER_HOME, with the columns that the files give them now.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.rendering.context import DATABASE
from orchestration.rendering.dependencies import downstream
from orchestration.resources.settings import Settings
from orchestration.segments.errors import SegmentError
from orchestration.segments.members import FOLDER, PREFIX
from orchestration.segments.world import SCRATCH, World


@dataclass(frozen=True)
class Tested:
    """A unit test: of which model, whether it passed, and what was different."""

    model: str
    name: str
    passed: bool
    seconds: float
    message: str


def run_unit_tests(world: World, settings: Settings, models: Sequence[str]) -> list[Tested]:
    """Run the unit tests of these segments.

    Args:
        world: of the newest build, from which the columns come.
        settings: where scratch files go.
        models: such as `seg_high_value`.

    Raises:
        SegmentError: dbt cannot read the project, or none of the segments has a unit test.
    """
    home = settings.working / "segment_tests"
    home.mkdir(exist_ok=True)
    _empty_tables(world, home / "warehouse.duckdb", models)
    world.connection.close()
    before = os.environ.get("MUSTER_HOME")
    os.environ["MUSTER_HOME"] = str(home)
    try:
        results = _run(home, models)
    finally:
        if before is not None:
            os.environ["MUSTER_HOME"] = before
    if not results:
        raise SegmentError(f"{', '.join(models)}: no unit test in the YAML beside it")
    return results


def _run(home: Path, models: Sequence[str]) -> list[Tested]:
    from orchestration.resources.dbt import DbtError, project, run_dbt

    written = home / "tmp" / "dbt" / "run_results.json"
    written.unlink(missing_ok=True)
    selected = [f"{model},test_type:unit" for model in models]
    try:
        for _ in run_dbt(["test", "--select", *selected], {}):
            pass
    except DbtError as error:
        if not written.exists():
            raise SegmentError(str(error)) from None
    results = json.loads(written.read_text())["results"]
    found = [_tested(one) for one in results if one["unique_id"].startswith("unit_test.")]
    refused = {f"{PREFIX}{one.model}": one.reason for one in project().refused()}
    found += [
        Tested(model, "dbt can read it", False, 0.0, refused[model])
        for model in models
        if model in refused
    ]
    return sorted(found, key=lambda one: (one.model, one.name))


def _tested(result: dict[str, Any]) -> Tested:
    *_, model, name = result["unique_id"].split(".")
    passed = result["status"] == "pass"
    message = "" if passed else str(result.get("message") or "").strip()
    return Tested(model, name, passed, float(result["execution_time"]), message)


def _empty_tables(world: World, file: Path, models: Sequence[str]) -> None:
    """All tables of the warehouse without rows; those whose files changed, with the new columns."""
    file.unlink(missing_ok=True)
    connection = world.connection
    connection.execute(f"attach '{file}' as empty")
    made: set[str] = set()
    for model in models:
        refs = world.closure(model)
        anew = downstream(refs, world.changed(model, refs)) - {model} - made
        for name in anew:
            if not world.project.models[name].is_python:
                world.make(name, anew, refs)
                schema = world.project.models[name].schema
                _copy(world, SCRATCH, schema, name)
                made.add(name)
    for schema, name in connection.execute(
        f"""select schema_name, table_name from duckdb_tables()
        where database_name = '{DATABASE}' and schema_name <> 'main'
        union all
        select schema_name, view_name from duckdb_views()
        where database_name = '{DATABASE}' and not internal and schema_name = 'intermediate'"""
    ).fetchall():
        if name not in made:
            _copy(world, DATABASE, schema, name)
    connection.execute("detach empty")


def _copy(world: World, database: str, schema: str, name: str) -> None:
    world.connection.execute(f"create schema if not exists empty.{schema}")
    world.connection.execute(
        f'create table empty.{schema}."{name}" as '
        f'select * from {database}.{schema}."{name}" limit 0'
    )


def segments_of(world: World, name: str) -> list[str]:
    """The models whose tests are wanted: one, or all."""
    from orchestration.segments.members import model_of

    if name:
        return [model_of(world, name)]
    return sorted(model.name for model in world.project.named(FOLDER, PREFIX).values())
