"""`muster sources`: list, test and pull what `sources.yml` names; no logic of its own."""

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Sources that are pulled.")


def _fail(message: str) -> typer.Exit:
    typer.secho(message, err=True, fg="red")
    return typer.Exit(2)


@app.command("list")
def list_sources() -> None:
    """Show each source, its parts, and how far each has been pulled."""
    from rich.console import Console
    from rich.table import Table

    from orchestration.connectors.definitions import DefinitionError, sources_file
    from orchestration.connectors.pull import last_pull
    from orchestration.connectors.registry import load_sources
    from orchestration.resources.settings import load_settings

    settings = load_settings()
    try:
        sources = load_sources()
    except DefinitionError as error:
        raise _fail(str(error)) from None
    if not sources:
        typer.echo(f"{sources_file()} names no source yet; files of the inbox need none")
        return
    console = Console(highlight=False)
    for source in sources.values():
        table = Table(
            title=f"{source.name}: {source.type}, {source.schedule or 'pulled by hand'}",
            title_justify="left",
        )
        for title in ("part", "entity", "last load (UTC)"):
            table.add_column(title, no_wrap=True)
        table.add_column("cursor", overflow="fold")
        for part in source.parts():
            last = last_pull(settings.landing, source.name, part.name)
            loaded = f"{last.landed_at:%Y-%m-%d %H:%M}" if last else "none yet"
            table.add_row(part.name, part.entity, loaded, _words(last.position) if last else "")
        console.print(table)


def _words(position: dict[str, object]) -> str:
    """A cursor as people should see it: its value, or those of several partitions."""
    if list(position) == ["value"]:
        return str(position["value"])
    return ", ".join(f"{key}: {value}" for key, value in position.items())


@app.command("test")
def test_source(name: Annotated[str, typer.Argument(help="The source's name.")]) -> None:
    """Check connection, credentials and permissions; exit 1 and say what is wrong, a line each."""
    from orchestration.connectors.definitions import DefinitionError
    from orchestration.connectors.pull import told_plainly
    from orchestration.connectors.registry import source_named
    from orchestration.connectors.secrets import scrubbed

    try:
        source = source_named(name)
    except DefinitionError as error:
        raise _fail(str(error)) from None
    try:
        problems = [_with_source(scrubbed(problem), name) for problem in source.problems()]
    except Exception as error:
        problems = [str(told_plainly(error, name))]
    for problem in problems:
        typer.secho(problem, fg="red")
    if problems:
        raise typer.Exit(1)
    parts = ", ".join(part.name for part in source.parts())
    typer.secho(f"{name}: all is well ({parts})", fg="green")


def _with_source(problem: str, name: str) -> str:
    """A problem that names its source."""
    return problem if problem.startswith((name, f"source {name}")) else f"{name}: {problem}"


@app.command("pull")
def pull_source(
    name: Annotated[str, typer.Argument(help="The source's name.")],
    part: Annotated[list[str], typer.Option(help="Only this part; may be repeated.")] = [],  # noqa: B006
) -> None:
    """Land what is new; exit 1 if a part could not be pulled, while the others are."""
    from orchestration.connectors.definitions import DefinitionError
    from orchestration.connectors.pull import pull, together
    from orchestration.connectors.registry import source_named
    from orchestration.connectors.sources.base import SourceError
    from orchestration.resources.settings import load_settings

    settings = load_settings()
    try:
        source = source_named(name)
    except DefinitionError as error:
        raise _fail(str(error)) from None
    known = [one.name for one in source.parts()]
    if unknown := sorted(set(part) - set(known)):
        raise _fail(f"{name} has no part {', '.join(unknown)}; there are {', '.join(known)}")
    failed = False
    with together(source, settings.dlt):
        for one in source.parts():
            if part and one.name not in part:
                continue
            try:
                report = pull(source, one, settings.landing, settings.dlt, typer.echo)
            except SourceError as error:
                typer.secho(str(error), err=True, fg="red")
                failed = True
                if error.is_of_source:
                    break  # the other parts would say the same
                continue
            deleted = f", {report.deleted:,} keys deleted" if report.deleted else ""
            typer.echo(f"{name}/{one.name}: {report.rows:,} rows into {one.entity}{deleted}")
            for note in report.notes:
                typer.secho(f"  {note}", fg="yellow")
    if failed:
        raise typer.Exit(1)
