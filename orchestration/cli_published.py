"""`muster published`: which snapshots there are, what changed, are they whole; and copies."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from orchestration.publication.compare import Difference

published_app = typer.Typer(no_args_is_help=True, help="Published snapshots.")

WithContactData = Annotated[
    bool, typer.Option("--with-contact-data", help="Also the tables with raw contact data.")
]


def _fail(message: str) -> typer.Exit:
    typer.secho(message, err=True, fg="red")
    return typer.Exit(2)


def _folder() -> Path:
    from orchestration.resources.settings import load_settings

    return load_settings().published


def _full(snapshot_id: str) -> str:
    """`7` is short for `000007`."""
    return snapshot_id.zfill(6)


@published_app.command("list")
def list_snapshots() -> None:
    """Print the snapshots that are kept, the newest last."""
    from rich.console import Console
    from rich.table import Table

    from orchestration.publication.manifest import (
        SnapshotError,
        published_at,
        read_manifest,
        snapshot_ids,
    )

    folder = _folder()
    table = Table("snapshot", "as of", "published (UTC)", "tables", "rows", "MB", "")
    ids = snapshot_ids(folder)
    for one in ids:
        when = f"{published_at(folder, one):%Y-%m-%d %H:%M}"
        mark = "newest" if one == ids[-1] else ""
        try:
            tables = read_manifest(folder, one).tables.values()
        except SnapshotError:
            table.add_row(one, "?", when, "", "", "", "damaged: muster published verify")
            continue
        rows, size = sum(each.rows for each in tables), sum(each.size for each in tables)
        as_of = read_manifest(folder, one).as_of
        table.add_row(one, as_of, when, str(len(tables)), f"{rows:,}", f"{size / 1e6:,.1f}", mark)
    if not ids:
        typer.echo("nothing has been published yet; run `muster run`")
        return
    Console().print(table)


@published_app.command("diff")
def diff(
    before: Annotated[str, typer.Argument(help="The older snapshot, such as 7 or 000007.")],
    after: Annotated[str, typer.Argument(help="The newer one.")],
    samples: Annotated[int, typer.Option(help="Changes to show of each table.")] = 3,
) -> None:
    """Print what changed between two snapshots, as_of aside."""
    import duckdb

    from orchestration.publication.compare import compare
    from orchestration.publication.manifest import SnapshotError

    try:
        differences = compare(_folder(), _full(before), _full(after), samples)
    except SnapshotError as error:
        raise _fail(str(error)) from None
    except duckdb.Error as error:
        words = f"a file cannot be read, see `muster published verify`: {error}"
        raise _fail(words) from None
    _print_differences(differences)


def _print_differences(differences: "list[Difference]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        "table", "added", "removed", "changed", "columns that changed, and in how many rows"
    )
    for one in differences:
        if one.is_empty:
            continue
        columns = [f"{name} {count:,}" for name, count in one.columns.items()]
        counts = (f"{number:,}" for number in (one.added, one.removed, one.changed))
        table.add_row(one.table, *counts, ", ".join([*one.schema, *columns]))
    console = Console()
    if table.row_count:
        console.print(table)
    for one in differences:
        for change in one.sample:
            typer.echo(
                f"{one.table} ({change.key}): {change.column} was {change.before}, "
                f"is {change.after}"
            )
    same = [one.table for one in differences if one.is_empty]
    if same:
        typer.echo(f"the same: {', '.join(same)}")


@published_app.command("verify")
def verify_snapshots(
    snapshot: Annotated[str, typer.Argument(help="One snapshot; all of them without it.")] = "",
) -> None:
    """Check rows, sizes and checksums of snapshots; exit 1 if a file is damaged, and say which."""
    from orchestration.publication.manifest import SnapshotError, snapshot_ids
    from orchestration.publication.verify import verify

    folder = _folder()
    try:
        faults = verify(folder, _full(snapshot) if snapshot else None)
    except SnapshotError as error:
        raise _fail(str(error)) from None
    for fault in faults:
        typer.secho(f"{fault.snapshot_id}: {fault.file}: {fault.words}", err=True, fg="red")
    if faults:
        raise typer.Exit(1)
    count = 1 if snapshot else len(snapshot_ids(folder))
    if not count:
        raise _fail(f"nothing has been published under {folder} yet; run `muster run`")
    typer.echo(f"{count} snapshot{'s are' if count != 1 else ' is'} whole")


@published_app.command("export")
def published_export(
    target: Annotated[Path, typer.Argument(help="The DuckDB file to write.")],
    with_contact_data: WithContactData = False,
) -> None:
    """Write the newest snapshot's tables into one self-contained DuckDB file."""
    from orchestration.publication.export import export
    from orchestration.publication.manifest import SnapshotError

    try:
        manifest = export(_folder(), target, with_contact_data)
    except (OSError, SnapshotError) as error:
        raise _fail(str(error)) from None
    typer.echo(f"wrote snapshot {manifest.snapshot_id} to {target}")


@published_app.command("sync")
def published_sync(
    url: Annotated[str, typer.Argument(help="postgresql://user@host/database")],
    schema: Annotated[str, typer.Option(help="Schema that holds the tables.")] = "muster",
    with_contact_data: WithContactData = False,
) -> None:
    """Fill a schema of a PostgreSQL database with the newest snapshot, in one transaction."""
    from orchestration.publication.manifest import SnapshotError
    from orchestration.publication.postgres import SyncError, sync

    try:
        manifest = sync(_folder(), url, schema, with_contact_data)
    except (OSError, SnapshotError, SyncError) as error:
        raise _fail(str(error)) from None
    typer.echo(f"schema {schema} holds snapshot {manifest.snapshot_id} as of {manifest.as_of}")


@published_app.command("copy")
def published_copy(
    url: Annotated[str, typer.Argument(help="Such as s3://bucket/prefix.")],
) -> None:
    """Copy the newest snapshot to an object store; MUSTER_PUBLISH_TO does so in each run."""
    import os

    from orchestration.publication.manifest import SnapshotError
    from orchestration.publication.object_store import CopyError, copy_newest
    from orchestration.publication.retention import retention_of

    try:
        manifest = copy_newest(_folder(), url, retention_of(os.environ))
    except (OSError, ValueError, CopyError, SnapshotError) as error:
        raise _fail(str(error)) from None
    typer.echo(f"copied snapshot {manifest.snapshot_id} to {url}")
