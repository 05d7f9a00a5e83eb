"""`muster explain`: why things are as they are. First of all identity: why a person is one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli_explain_campaign import decision, silence
from orchestration.cli_explain_link import link

if TYPE_CHECKING:
    from orchestration.identity.explain.answer import Answer
    from orchestration.identity.explain.hidden import Hider
    from orchestration.identity.explain.reader import Reader

explain_app = typer.Typer(no_args_is_help=True, help="Why things are as they are.")


explain_app.command()(link)
explain_app.command()(decision)
explain_app.command()(silence)


@explain_app.callback()
def _explain() -> None:
    """Why things are as they are."""


@explain_app.command()
def identity(
    value: Annotated[
        str, typer.Argument(help="type:value, a bare value of any type, or a profile id.")
    ],
    path: Annotated[
        str, typer.Option(help="Another value: what joins the two, or keeps them apart.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For machines, with all rows.")] = False,
    picture: Annotated[
        Path | None, typer.Option(help="Write a picture, FILE.svg or FILE.html.")
    ] = None,
    hash_values: Annotated[
        bool, typer.Option("--hash-values", help="Show no contact data: for screenshots.")
    ] = False,
) -> None:
    """Who it is, what holds the profile together, what was rejected and why, and when."""
    from orchestration.identity.explain.answer import NotExplainedError, answer
    from orchestration.identity.explain.hidden import Hider
    from orchestration.identity.explain.reader import Reader
    from orchestration.identity.rules import RulesError, load_rules
    from orchestration.identity.secret import project_secret
    from orchestration.resources.settings import load_settings
    from orchestration.resources.warehouse import WarehouseError, open_to_read

    hider = Hider(project_secret()) if hash_values else None
    try:
        rules = load_rules()
        warehouse = load_settings().warehouse
        with open_to_read(warehouse, "intermediate.int_identity_log") as connection:
            found = answer(connection, rules, value, path)
            if picture:
                reader = Reader(connection, rules.silent_sources)
                _draw(reader, found, picture, hider)
    except (NotExplainedError, WarehouseError, RulesError, OSError) as error:
        typer.secho(str(error), err=True, fg="red")
        raise typer.Exit(2) from None
    _print(hider.hide(found) if hider else found, as_json)


def _print(found: "Answer", as_json: bool) -> None:
    from rich.console import Console

    from orchestration.explain_tables import print_answer, print_path

    if as_json:
        typer.echo(found.as_json())
        return
    for note in found.notes:
        typer.secho(note, fg="yellow")
    console = Console(highlight=False)
    if found.path:
        print_path(console, found.path)
    else:
        print_answer(console, found)


def _draw(reader: "Reader", found: "Answer", file: Path, hider: "Hider | None") -> None:
    from orchestration.identity.explain.picture import html, svg
    from orchestration.identity.explain.scene import scene

    if file.suffix not in {".svg", ".html"}:
        raise OSError(f"{file}: a picture is FILE.svg or FILE.html")
    if not file.parent.is_dir():
        raise OSError(f"{file}: there is no folder {file.parent}")
    steps = found.path.steps if found.path else None
    chain = [found.path.start, *(step.b for step in steps)] if found.path and steps else []
    shown = scene(reader, found.person, found.asked.identifier, chain)
    title = f"Who is {found.person.profile_id or found.asked.identifier}"
    if hider:
        shown, chain = hider.hide(shown), hider.hide(chain)
        title = f"Who is {found.person.profile_id or shown.asked}"
    picture = svg(shown, title, chain)
    file.write_text(picture if file.suffix == ".svg" else html(picture, title), encoding="utf-8")
    typer.echo(f"wrote {file}", err=True)
