"""`muster segment explain`: why a person is in a segment, or is not."""

from dataclasses import replace
from typing import Annotated

import typer

from orchestration.cli_segment_options import (
    Json,
    Name,
    Set,
    parameters_of,
    plain_errors,
    terminal,
)


def explain(
    name: Name,
    profile: Annotated[
        str, typer.Argument(help="A profile id, also one of the past, or any identifier.")
    ],
    parameters: Set = None,
    as_json: Json = False,
) -> None:
    """Each condition with the person's value, true or false, and what would flip it."""
    from orchestration.resources.settings import load_settings
    from orchestration.segments.explain.answer import explain as explained
    from orchestration.segments.person import profile_of
    from orchestration.segments.world import open_world

    with plain_errors():
        world = open_world(load_settings(), parameters_of(parameters))
        profile_id, about = profile_of(world, profile)
        shown = explained(world, name, profile_id)
        if about:
            shown = replace(shown, notes=(about, *shown.notes))
        if as_json:
            typer.echo(shown.as_json())
            return
        from orchestration.segments.show_explain import print_explanation

        print_explanation(terminal(), shown)
