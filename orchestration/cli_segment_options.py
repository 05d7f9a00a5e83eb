"""What commands of segments and campaigns share: their options, their errors, their pages."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

_EXPONENT = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d{1,2}")  # a text to YAML, as in 1e9
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

Name = Annotated[str, typer.Argument(help="The segment, with or without seg_.")]
Json = Annotated[bool, typer.Option("--json", help="For machines, with all rows.")]
Html = Annotated[Path | None, typer.Option(help="Also write a page, FILE.html.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="parameter=value instead of parameters.yml; repeatable."),
]


@contextmanager
def plain_errors() -> Iterator[None]:
    """What a user can mend, in one line and exit code 2."""
    from orchestration.rendering.places import FileError
    from orchestration.resources.warehouse import WarehouseError
    from orchestration.segments.errors import SegmentError

    with told_plainly(SegmentError, FileError, WarehouseError, OSError):
        yield


@contextmanager
def campaign_errors() -> Iterator[None]:
    """The same of the commands of campaigns."""
    from orchestration.campaigns.names import CampaignError
    from orchestration.identity.explain.answer import NotExplainedError
    from orchestration.identity.rules import RulesError
    from orchestration.rendering.places import FileError
    from orchestration.resources.warehouse import WarehouseError
    from orchestration.segments.errors import SegmentError

    with told_plainly(
        CampaignError, NotExplainedError, SegmentError, FileError, WarehouseError, RulesError,
        OSError,
    ):  # fmt: skip
        yield


@contextmanager
def told_plainly(*errors: type[Exception]) -> Iterator[None]:
    """These errors in one line of their own words, and exit code 2."""
    try:
        yield
    except errors as error:
        typer.secho(_without_home(str(error)), err=True, fg="red")
        raise typer.Exit(2) from None


def _without_home(text: str) -> str:
    """Paths below the current folder as one types them."""
    return text.replace(f"{Path.cwd()}{os.sep}", "")


def terminal() -> "Console":
    """Where tables go; readable too when piped."""
    from rich.console import Console

    return Console(highlight=False)


def parameters_of(said: list[str] | None) -> dict[str, Any]:
    """`["days=14"]` to `{"days": 14}`.

    Raises:
        SegmentError: it is not of the form parameter=value.
    """
    from orchestration.rendering.project import parse_yaml
    from orchestration.segments.errors import SegmentError

    found = {}
    for one in said or []:
        name, is_there, value = one.partition("=")
        if not is_there or not value or not name.strip():
            raise SegmentError(f"--set {one}: write parameter=value")
        found[name.strip()] = (
            _number(value)
            if _EXPONENT.fullmatch(value)
            else parse_yaml(value, f"--set {name.strip()}")
        )
    return found


def _number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number


def moment_of(text: str, otherwise: datetime) -> datetime:
    """A time as a user writes it, as models store it: UTC, without a zone.

    Raises:
        SegmentError: it is no time.
    """
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


def step_of(text: str) -> timedelta:
    """How far apart moments are, of `15m`, `6h`, `1d`, `2w`.

    Raises:
        SegmentError: it is no such step.
    """
    from orchestration.segments.errors import SegmentError

    found = re.fullmatch(r"(\d+)\s*([mhdw])", text.strip())
    if not found or not int(found[1]):
        raise SegmentError(f"--every {text}: write for example 15m, 6h, 1d or 2w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def check_page(file: Path | None) -> None:
    """Refuse a page that cannot be written, before any work is done.

    Raises:
        SegmentError: it has another ending, or its folder is not there or not to be written to.
    """
    from orchestration.segments.errors import SegmentError

    if file is None:
        return
    if file.suffix != ".html" or file.is_dir():
        raise SegmentError(f"--html {file}: a page is a file, FILE.html")
    if not file.parent.is_dir():
        raise SegmentError(f"--html {file}: there is no folder {file.parent}; make it first")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise SegmentError(f"--html {file}: it may not be written")


def write_page(file: Path, html: str) -> None:
    """Write a page, and say so."""
    file.write_text(html, encoding="utf-8")
    typer.echo(f"wrote {file}", err=True)
