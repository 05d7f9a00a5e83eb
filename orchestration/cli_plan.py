"""`muster plan`: shows the tracking plan, checks files against it, releases from quarantine."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

plan_app = typer.Typer(no_args_is_help=True, help="The tracking plan of web.events.")


def _fail(error: Exception) -> typer.Exit:
    typer.secho(str(error), err=True, fg="red")
    return typer.Exit(2)


def _table(title: str, columns: dict[str, bool], rows: list[tuple[object, ...]]) -> None:
    """Print a table; `columns` says which are numbers."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for name, is_number in columns.items():
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(f"{v:,}" if isinstance(v, int) else escape(str(v)) for v in row))
    Console(highlight=False).print(table)


@plan_app.command()
def show(
    name: Annotated[str, typer.Argument(help="One event name; all without it.")] = "",
) -> None:
    """Print the event names, their owners and properties (`!` required, `*` personal data)."""
    from orchestration.tracking_plan.plan import PlanError, load_plan, plan_file

    try:
        plan, _ = load_plan()
        if name and name not in plan.events:
            raise PlanError(f"{name!r} is not in {plan_file()}; there are {', '.join(plan.events)}")
    except PlanError as error:
        raise _fail(error) from None
    common = set(plan.properties)
    rows: list[tuple[object, ...]] = []
    for event_name in [name] if name else plan.events:
        event = plan.events[event_name]
        properties = plan.properties_of(event_name)
        shown = [
            f"{key}{'!' if given.required else ''}{'*' if given.pii else ''} "
            f"{'|'.join(given.one_of) or given.type}"
            for key, given in properties.items()
            if name or key not in common or key in event.properties
        ]
        kind = [word for word in ("content", "conversion") if getattr(event, f"is_{word}")]
        owner_and_kind = (event.owner, ", ".join(kind))
        rows.append((event_name, *owner_and_kind, ", ".join(shown), event.description))
    columns = dict.fromkeys(("name", "owner", "kind", "properties", "description"), False)
    _table(f"Tracking plan {plan_file()}", columns, rows)
    if not name:
        typer.echo(f"Of every event: {', '.join(sorted(common)) or 'nothing'}.")


@plan_app.command()
def check(
    file: Annotated[Path, typer.Argument(help="CSV, JSON Lines or Parquet, gzipped or not.")],
    folder: Annotated[
        str, typer.Option(help="Folder of the inbox it is meant for.")
    ] = "web/events",
) -> None:
    """Report what a file violates, without loading it; exit 1 if it violates anything."""
    from orchestration.connectors.definitions import DefinitionError
    from orchestration.tracking_plan.check import CheckError, check_file
    from orchestration.tracking_plan.plan import PlanError, load_plan

    try:
        plan, raw = load_plan()
        found = check_file(file, folder, plan, raw)
    except (PlanError, CheckError, DefinitionError) as error:
        raise _fail(error) from None
    for note in found.notes:
        typer.echo(f"note: {note}")
    if found.violations:
        numbers = {"name": False, "reason": False, "rows": True, "first row": True, "sample": False}
        lines = [(v.name, v.reason, v.rows, v.first_row, v.sample) for v in found.violations]
        _table("Violations", numbers, list(lines))
    if found.bad_lines:
        bad = [(line.line_number, line.reason) for line in found.bad_lines[:20]]
        _table(
            f"Lines that are no rows: {len(found.bad_lines):,}",
            {"line": True, "why": False},
            [*bad],
        )
    for leak in found.leaks:
        typer.secho(
            f"warning: {leak.name}: {leak.property} holds an e-mail address in {leak.rows:,} rows, "
            f"first in row {leak.first_row:,}; mark it `pii: true`, or have it left out",
            fg="yellow",
        )
    if found.violations or found.bad_lines:
        raise typer.Exit(1)
    typer.echo(f"{found.rows:,} rows, all by the plan")


def _moment(text: str) -> datetime | None:
    from orchestration.resources.build import parse_moment

    return parse_moment(text) if text else None


@plan_app.command()
def release(  # noqa: PLR0913, PLR0917  # the options of a command
    name: Annotated[str, typer.Argument(help="Event name as it is in quarantine.")] = "",
    reason: Annotated[str, typer.Option(help="The one reason to set aside; else each.")] = "",
    since: Annotated[str, typer.Option(help="Landed from this UTC time on.")] = "",
    until: Annotated[str, typer.Option(help="Landed up to this UTC time; now if not said.")] = "",
    by: Annotated[str, typer.Option(help="Who decides it.")] = "",
    why: Annotated[str, typer.Option(help="Why.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would pass.")] = False,
) -> None:
    """Let quarantined events through at the next build; --dry-run says which would pass anyway."""
    from orchestration.resources.settings import load_settings
    from orchestration.tracking_plan import releases
    from orchestration.tracking_plan.plan import PlanError, load_plan

    try:
        settings = load_settings()
        _, raw = load_plan()
        asked = None
        if name:
            limits = (_moment(since), _moment(until) or datetime.now(UTC))
            asked = releases.Release(name.strip().lower(), reason, *limits, by.strip(), why.strip())
        if dry_run or asked is None:
            lines = releases.quarantined(settings.landing, settings.warehouse, raw, asked)
            lines = [line for line in lines if asked is None or line.name == asked.event_name]
        elif not (asked.released_by and asked.why):
            raise releases.ReleaseError("say who decides it and why: --by WHO --why TEXT")
        else:
            state = settings.working / "dlt"
            lines = releases.release(settings.landing, state, settings.warehouse, raw, asked)
    except (PlanError, releases.ReleaseError, ValueError) as error:
        raise _fail(error) from None
    columns = {"name": False, "reason": False, "in quarantine": True, "pass at next build": True}
    rows = [(line.name, line.reason, line.rows, line.passing) for line in lines]
    _table("Events in quarantine", columns, list(rows))
    if not lines:
        typer.echo("Nothing of that is in quarantine.")
    elif asked and not dry_run:
        typer.echo("Recorded; the next build lets them through.")
