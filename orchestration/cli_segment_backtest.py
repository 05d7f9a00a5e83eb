"""`muster segment backtest`: a segment at past moments."""

import re
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
    parameters_of,
    plain_errors,
    terminal,
    write_page,
)

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def _moment(text: str, otherwise: datetime) -> datetime:
    """A time as a user writes it, as models store it: UTC, without a zone."""
    from datetime import UTC

    from orchestration.segments.errors import SegmentError

    if not text:
        return otherwise
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SegmentError(
            f"{text!r} is no time; write for example 2026-11-01 or 2026-11-01T06:00:00Z"
        ) from None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _step(text: str) -> timedelta:
    from orchestration.segments.errors import SegmentError

    found = re.fullmatch(r"(\d+)\s*([hdw])", text.strip())
    if not found or found[1] == "0":
        raise SegmentError(f"--every {text}: write for example 6h, 1d or 2w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


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
        step = _step(every)
        said = parameters_of(parameters)
        world = open_world(load_settings())
        world.require(said)
        end = _moment(last, world.built_as_of)
        begin = _moment(first, end - timedelta(weeks=8))
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
