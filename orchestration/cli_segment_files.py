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
    from orchestration.segments.show import table

    made = table("segment", "size", "owner", "", right=("size",))
    made.columns[-1].no_wrap = False
    for one in found:
        size = "-" if one.size is None else f"{one.size:,}"
        made.add_row(one.segment, size, one.owner, one.state)
    terminal().print(made)


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
    failed = [one for one in results if not one.passed]
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in results], indent=2))
    else:
        for one in results:
            mark = typer.style("✓", fg="green") if one.passed else typer.style("✗", fg="red")
            typer.echo(f"{mark} {one.model}: {one.name} ({one.seconds:.1f} s)")
            for line in one.message.splitlines():
                typer.echo(f"    {line}")
        if any("---," in one.message or "+++," in one.message for one in failed):
            typer.secho("--- is expected and missing, +++ is there and not expected", dim=True)
        typer.echo(f"{len(results) - len(failed)} of {len(results)} unit tests pass")
    if failed:
        raise typer.Exit(1)
