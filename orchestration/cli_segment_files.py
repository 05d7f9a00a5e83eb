"""`muster segment new`, `list` and `test`: the files of segments."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli_segment_options import Json, plain_errors, terminal


def new(
    name: Annotated[str, typer.Argument(help="Lower case, with underscores.")],
    source: Annotated[str, typer.Option("--from", help="Begin with another segment.")] = "",
    owner: Annotated[str, typer.Option(help="The team that answers for it.")] = "analytics",
) -> None:
    """Make SQL, YAML and a unit test to fill in."""
    from orchestration.rendering.project import Project
    from orchestration.segments.new import new_segment

    with plain_errors():
        for path in new_segment(Project(), name, owner, source):
            shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
            typer.echo(f"made {shown}")
    bare = name.removeprefix("seg_")
    typer.echo(f"fill them in; then: muster segment preview {bare}, muster segment test {bare}")


def list_segments(as_json: Json = False) -> None:
    """All segments: size, owner, and which are held or not published yet."""
    from orchestration.rendering.project import Project
    from orchestration.resources.settings import load_settings
    from orchestration.segments.listing import listed

    with plain_errors():
        found = listed(Project(), load_settings())
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=2))
        return
    from orchestration.segments.show_listing import print_listing

    print_listing(terminal(), found)


def test(
    name: Annotated[str, typer.Argument(help="One segment; else all.")] = "",
    as_json: Json = False,
) -> None:
    """Run dbt's unit tests of segments, without their data; some seconds, as dbt has to start."""
    from orchestration.resources.settings import load_settings
    from orchestration.segments.unit_tests import run_unit_tests, segments_of
    from orchestration.segments.world import open_world

    with plain_errors():
        settings = load_settings()
        world = open_world(settings)
        models = segments_of(world, name)
        results = run_unit_tests(world, settings, models)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in results], indent=2))
    else:
        from orchestration.segments.show_listing import print_tests

        print_tests(terminal(), results)
    if not all(one.passed for one in results):
        raise typer.Exit(1)
