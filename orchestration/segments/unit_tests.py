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
from orchestration.rendering.faults import fault_of, placed
from orchestration.rendering.places import FileError
from orchestration.rendering.project import Project
from orchestration.rendering.renderer import Renderer
from orchestration.resources.dbt_project import FOLDER, PREFIX
from orchestration.resources.dbt_words import plain
from orchestration.resources.settings import Settings
from orchestration.segments.errors import SegmentError
from orchestration.segments.world import SCRATCH, World

UNREAD = "its files can be read"  # what of a segment is tested that cannot be


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
    unreadable = _empty_tables(world, home / "warehouse.duckdb", models)
    world.connection.close()
    readable = [model for model in models if model not in unreadable]
    results = [_unread(model, words) for model, words in unreadable.items()]
    if readable:
        results += _in_home(home, readable)
    if not results:
        raise SegmentError(f"{', '.join(models)}: no unit test in the YAML beside it")
    return sorted(results, key=lambda one: (one.model, one.name))


def _unread(model: str, words: str) -> Tested:
    return Tested(model, UNREAD, False, 0.0, words)


def _in_home(home: Path, models: Sequence[str]) -> list[Tested]:
    before = os.environ.get("MUSTER_HOME")
    os.environ["MUSTER_HOME"] = str(home)
    try:
        return _run(home, models)
    finally:
        if before is not None:
            os.environ["MUSTER_HOME"] = before


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
            raise SegmentError(plain(str(error))) from None
    results = json.loads(written.read_text())["results"]
    renderer = Renderer(Project())
    found = [_tested(renderer, one) for one in results if one["unique_id"].startswith("unit_test.")]
    refused = {f"{PREFIX}{one.model}": f"{one.place}: {one.reason}" for one in project().refused()}
    return found + [_unread(model, refused[model]) for model in models if model in refused]


def _tested(renderer: Renderer, result: dict[str, Any]) -> Tested:
    *_, model, name = result["unique_id"].split(".")
    passed = result["status"] == "pass"
    message = "" if passed else str(result.get("message") or "").strip()
    if result["status"] == "error":  # its SQL could not run, so there is no table of differences
        message = str(placed(renderer, renderer.project.models[model], plain(message)))
    return Tested(model, name, passed, float(result["execution_time"]), message)


def _empty_tables(world: World, file: Path, models: Sequence[str]) -> dict[str, str]:
    """All tables of the warehouse without rows; those whose files changed, with the new columns.

    Returns the segments that cannot be read, and why: they must not keep the others from a test.
    """
    file.unlink(missing_ok=True)
    connection = world.connection
    connection.execute(f"attach '{file}' as empty")
    made: set[str] = set()
    unreadable = {}
    for model in models:
        try:
            if fault := fault_of(world.renderer, world.project.models[model]):
                raise fault
            _made_anew(world, model, made)
        except (FileError, SegmentError) as error:
            unreadable[model] = str(error)
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
    return unreadable


def _made_anew(world: World, model: str, made: set[str]) -> None:
    refs = world.closure(model)
    anew = downstream(refs, world.changed(model, refs)) - {model} - made
    for name in anew:
        if not world.project.models[name].is_python:
            world.make(name, anew, refs)
            _copy(world, SCRATCH, world.project.models[name].schema, name)
            made.add(name)


def _copy(world: World, database: str, schema: str, name: str) -> None:
    world.connection.execute(f"create schema if not exists empty.{schema}")
    world.connection.execute(
        f'create table empty.{schema}."{name}" as '
        f'select * from {database}.{schema}."{name}" limit 0'
    )


def segments_of(world: World, name: str) -> list[str]:
    """The models whose tests are wanted: one, or all."""
    from orchestration.segments.members import named_model

    if name:
        return [named_model(world, name)]
    return sorted(model.name for model in world.project.named(FOLDER, PREFIX).values())
