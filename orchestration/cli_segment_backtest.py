"""`muster segment backtest`: a segment at past moments."""

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated

import typer

from orchestration.cli_segment_options import (
    Html,
    Json,
    Name,
    Set,
    check_page,
    moment_of,
    parameters_of,
    plain_errors,
    step_of,
    terminal,
    write_page,
)


def backtest(  # noqa: PLR0913, PLR0917  # one for each option
    name: Name,
    first: Annotated[str, typer.Option("--from", help="The first moment (8 weeks before).")] = "",
    last: Annotated[str, typer.Option("--to", help="The last one (the newest build's).")] = "",
    every: Annotated[str, typer.Option(help="6h, 1d, 2w.")] = "1w",
    against: Annotated[
        str, typer.Option(help="A git revision: its SQL of the segment and parameters.yml.")
    ] = "",
    parameters: Set = None,
    as_known: Annotated[
        bool, typer.Option("--as-known", help="With what had landed by each moment.")
    ] = False,
    as_json: Json = False,
    html: Html = None,
) -> None:
    """Its size, entries and exits at past moments, also of a definition that is new.

    --against and --set make a second version, which is shown beside the file as it is.
    """
    from orchestration.resources.settings import load_settings
    from orchestration.segments.backtest import backtest as backtested
    from orchestration.segments.backtest import moments
    from orchestration.segments.members import model_of
    from orchestration.segments.versions import other_version
    from orchestration.segments.world import open_world

    with plain_errors():
        check_page(html)
        step = step_of(every)
        said = parameters_of(parameters)
        world = open_world(load_settings())
        world.require(said)
        end = moment_of(last, world.built_as_of)
        begin = moment_of(first, end - timedelta(weeks=8))
        at = moments(begin, end, step, world.built_as_of)
        other = other_version(world.project, model_of(world, name), against, said)
        shown = backtested(world, name, _told(at), other, as_known)
        if as_json:
            typer.echo(shown.as_json())
        else:
            from orchestration.segments.show_backtest import print_backtest

            print_backtest(terminal(), shown)
        if html:
            from orchestration.segments.show_backtest import backtest_page

            write_page(html, backtest_page(shown))


def _told(at: Sequence[datetime]) -> Iterator[datetime]:
    """The moments; a terminal is told how far it is."""
    for place, moment in enumerate(at, start=1):
        if sys.stderr.isatty():
            said = f"\r{place} of {len(at)}: {moment:%Y-%m-%d %H:%M} "
            typer.echo(said, err=True, nl=False)
        yield moment
    if sys.stderr.isatty():
        typer.echo(f"\r{' ' * 40}\r", err=True, nl=False)
