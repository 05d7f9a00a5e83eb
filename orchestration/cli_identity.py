"""`muster identity`: what people say against the data, and what changed rules would do."""

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli_identity_diff import diff

if TYPE_CHECKING:
    from orchestration.identity.overriding.decisions import Decision, Signature
    from orchestration.identity.overriding.outcomes import Outcome
    from orchestration.identity.rules import IdentityRules
    from orchestration.resources.settings import Settings

identity_app = typer.Typer(no_args_is_help=True, help="Who is who: overrides, and other rules.")
identity_app.command()(diff)

One = Annotated[str, typer.Argument(help="An identifier, type:value.", show_default=False)]
Other = Annotated[str, typer.Argument(help="Another one, type:value.", show_default=False)]
By = Annotated[str, typer.Option(help="Who decides it.", show_default=False)]
Why = Annotated[str, typer.Option(help="Why.", show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")]
Force = Annotated[bool, typer.Option("--force", help="Record it though it looks like a mistake.")]
NoCheck = Annotated[
    bool, typer.Option("--no-check", help="Do not look into the warehouse what it would do.")
]


@dataclass(frozen=True)
class _How:
    by: str
    why: str
    dry_run: bool
    force: bool = False
    no_check: bool = False

    def signed(self) -> "Signature":
        from orchestration.identity.overriding.decisions import Signature

        return Signature(self.by.strip(), self.why.strip(), datetime.now(UTC))


def _fail(error: Exception) -> typer.Exit:
    typer.secho(str(error), err=True, fg="red")
    return typer.Exit(2)


@identity_app.command()
def split(  # noqa: PLR0913, PLR0917  # the options of a command
    one: One,
    other: Other,
    by: By,
    why: Why,
    dry_run: DryRun = False,
    force: Force = False,
    no_check: NoCheck = False,
) -> None:
    """Two identifiers are not one person's, whatever the data says."""
    _decide("split", (one, other), _How(by, why, dry_run, force, no_check))


@identity_app.command()
def link(  # noqa: PLR0913, PLR0917  # the options of a command
    one: One,
    other: Other,
    by: By,
    why: Why,
    dry_run: DryRun = False,
    force: Force = False,
    no_check: NoCheck = False,
) -> None:
    """Two identifiers are one person's, within the limits of the rules."""
    _decide("link", (one, other), _How(by, why, dry_run, force, no_check))


@identity_app.command()
def block(  # noqa: PLR0913, PLR0917  # the options of a command
    one: One,
    by: By,
    why: Why,
    dry_run: DryRun = False,
    force: Force = False,
    no_check: NoCheck = False,
) -> None:
    """An identifier identifies nobody."""
    _decide("block", (one,), _How(by, why, dry_run, force, no_check))


@identity_app.command()
def undo(
    override_id: Annotated[str, typer.Argument(help="As `muster identity list` shows it.")],
    by: By,
    why: Why,
    dry_run: DryRun = False,
    no_check: NoCheck = False,
) -> None:
    """Take an override back; what it replaced does not come back."""
    _decide("undo", (override_id,), _How(by, why, dry_run, no_check=no_check))


def _decide(action: str, given: tuple[str, ...], how: _How) -> None:
    from orchestration.identity.graph import InputError
    from orchestration.identity.overriding.decisions import DecisionError, record, recorded
    from orchestration.identity.rules import RulesError, load_rules
    from orchestration.identity.tried import OtherSecretError
    from orchestration.resources.settings import load_settings
    from orchestration.resources.warehouse import WarehouseError

    try:
        rules, settings = load_rules(), load_settings()
        decisions = recorded(settings.landing, rules)
        asked = _asked(action, given, how.signed(), rules, decisions)
        if not how.no_check:
            _check(asked, decisions, rules, settings, how.force)
    except WarehouseError as error:
        raise _fail(WarehouseError(f"{error}; or say --no-check")) from None
    except (DecisionError, RulesError, InputError, OtherSecretError) as error:
        raise _fail(error) from None
    if how.dry_run:
        typer.echo("Nothing was recorded (--dry-run).")
        return
    record(settings.landing, settings.dlt, asked)
    name = "the undo" if action == "undo" else asked.override_id
    typer.echo(f"Recorded {name}; the next build applies it: `muster run`.")


def _asked(
    action: str,
    given: tuple[str, ...],
    by: "Signature",
    rules: "IdentityRules",
    decisions: Sequence["Decision"],
) -> "Decision":
    from orchestration.identity.overriding import decisions as said

    if action == "undo":
        return said.new_undo(given[0].strip(), by, decisions)
    about = tuple(said.parse_identifier(text, rules) for text in given)
    asked = said.new_decision(action, about, by, decisions)
    if problem := said.contradiction(asked, decisions):
        raise said.DecisionError(problem)
    return asked


def _check(
    asked: "Decision",
    decisions: Sequence["Decision"],
    rules: "IdentityRules",
    settings: "Settings",
    force: bool,
) -> None:
    """Say what it would do, and object to what is probably a mistake."""
    from orchestration.identity.increment import LOG
    from orchestration.identity.overriding import advice
    from orchestration.identity.overriding.decisions import DecisionError
    from orchestration.identity.overriding.effect import effect
    from orchestration.identity.secret import project_secret
    from orchestration.resources.warehouse import open_to_read

    with open_to_read(settings.warehouse, LOG) as connection:
        found = effect(connection, rules, project_secret(), decisions, asked)
    problem = advice.objection(asked, found, rules)
    if not (problem and found.is_nothing):
        for line in advice.told(asked, decisions, found):
            typer.echo(line)
    if problem and not force:
        raise DecisionError(problem)
    if problem:
        typer.secho(f"note: {problem}", fg="yellow")


@identity_app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Every override, the newest first: who, when, why, and what became of it."""
    from orchestration.identity.increment import LOG
    from orchestration.identity.overriding.decisions import recorded
    from orchestration.identity.overriding.outcomes import outcomes
    from orchestration.identity.rules import RulesError, load_rules
    from orchestration.resources.settings import load_settings
    from orchestration.resources.warehouse import WarehouseError, open_to_read

    try:
        settings = load_settings()
        decisions = recorded(settings.landing, load_rules())
        is_built = settings.warehouse.exists()
        with open_to_read(settings.warehouse, LOG) if is_built else nullcontext() as connection:
            found = outcomes(decisions, connection)
    except (RulesError, WarehouseError) as error:
        raise _fail(error) from None
    if as_json:
        typer.echo(json.dumps([_as_json(one) for one in found], indent=2))
    elif found:
        _print(found)
    else:
        typer.echo("No override was recorded.")


def _as_json(one: "Outcome") -> dict[str, str | list[str]]:
    said = one.said
    return {
        "override_id": said.override_id,
        "action": said.action,
        "identifiers": [str(name) for name in said.about],
        "told_by": said.told_by,
        "why": said.why,
        "at": said.at.isoformat(),
        "state": one.state,
        "told": one.told,
    }


def _print(found: Sequence["Outcome"]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title="Overrides", title_justify="left")
    for name in ("id", "says", "who", "when (UTC)", "why", "what became of it"):
        table.add_column(name, overflow="fold", no_wrap=name == "id")
    for one in found:
        said = one.said
        text = "\n".join((said.action, *map(str, said.about)))
        cells = (said.override_id, text, said.told_by, f"{said.at:%Y-%m-%d %H:%M}", said.why)
        table.add_row(*map(escape, (*cells, one.told)))
    Console(highlight=False).print(table)
