"""`muster campaign simulate`: what campaigns would have sent, also if one were different."""

import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli_segment_options import (
    Html,
    Json,
    campaign_errors,
    check_page,
    moment_of,
    parameters_of,
    step_of,
    terminal,
    write_page,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_DAYS = 30


def simulate(  # noqa: PLR0913, PLR0917  # one for each option
    name: Annotated[str, typer.Argument(help="The campaign, as its file is called.")],
    first: Annotated[str, typer.Option("--from", help="The first run (30 days before).")] = "",
    last: Annotated[str, typer.Option("--to", help="The last one (the newest build's).")] = "",
    every: Annotated[str, typer.Option(help="How far apart runs are: 15m, 1h, 1d.")] = "15m",
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="What to change and compare: cap=2, holdout=10, policy.caps.0.limit=1, or a "
            "threshold of parameters.yml; repeatable.",
        ),
    ] = None,
    as_json: Json = False,
    html: Html = None,
) -> None:
    """Replay what happened through triggers and all campaigns together. Nothing is sent.

    --set makes a second version, which is shown beside the files as they are.
    """
    from orchestration.campaigns.definitions import load_campaigns
    from orchestration.campaigns.simulation.compare import simulation, span_of
    from orchestration.resources.settings import load_settings
    from orchestration.segments.world import built_as_of

    with campaign_errors():
        check_page(html)
        step = step_of(every)
        said = parameters_of(changes)
        settings, campaigns = load_settings(), load_campaigns()
        campaigns.of(name)
        built = built_as_of(settings)
        end = moment_of(last, built)
        span = span_of(moment_of(first, end - timedelta(days=_DAYS)), end, step, built)
        with _told() as tell:
            shown = simulation(settings, campaigns, name, span, said, tell)
        shown = replace(shown, change=", ".join(changes or []))
        if as_json:
            typer.echo(shown.as_json())
        else:
            from orchestration.campaigns.simulation.show import print_simulation

            print_simulation(terminal(), shown)
        if html:
            from orchestration.campaigns.simulation.show import simulation_page

            write_page(html, simulation_page(shown))


@contextmanager
def _told() -> "Iterator[Callable[[int, int], None] | None]":
    """A terminal is told how far it is."""
    if not sys.stderr.isatty():
        yield None
        return

    def tell(number: int, left: int) -> None:
        typer.echo(f"\rround {number}, {left:,} candidates wait   ", err=True, nl=False)

    try:
        yield tell
    finally:
        typer.echo(f"\r{' ' * 50}\r", err=True, nl=False)
