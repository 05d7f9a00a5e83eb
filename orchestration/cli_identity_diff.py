"""`muster identity diff`: what other rules would change, in tables or as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from orchestration.identity.diff import Difference, Sample

PARTS_SHOWN = 5


def diff(
    rules: Annotated[
        Path | None, typer.Option(help="Rules to try; by default those on disk now.")
    ] = None,
    samples: Annotated[
        int, typer.Option(min=0, help="How many merged and how many split profiles to show.")
    ] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show what identity_rules.yml would change against the newest build, before you build."""
    from orchestration.identity.diff import difference
    from orchestration.identity.graph import InputError
    from orchestration.identity.increment import LOG
    from orchestration.identity.rules import RulesError, load_rules
    from orchestration.identity.secret import project_secret
    from orchestration.identity.tried import OtherSecretError
    from orchestration.resources.settings import load_settings
    from orchestration.resources.warehouse import WarehouseError, open_to_read

    try:
        tried = load_rules(rules)
        with open_to_read(load_settings().warehouse, LOG) as connection:
            found = difference(connection, tried, project_secret(), samples)
    except (RulesError, WarehouseError, InputError, OtherSecretError) as error:
        typer.secho(str(error), err=True, fg="red")
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2, ensure_ascii=False))
        return
    for note in found.notes:
        typer.secho(f"note: {note}", fg="yellow")
    if found.is_nothing:
        nothing = "Nothing else would change" if found.notes else "Nothing would change"
        sizes = f"{found.sizes.identifiers:,} identifiers, {found.sizes.profiles.before:,} profiles"
        typer.echo(f"{nothing}: {sizes}.")
        return
    _print(found)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str | int | None]]) -> None:
    """Print rows, if there are any; numbers to the right."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    if not rows:
        return
    table = Table(title=title, title_justify="left")
    for place, name in enumerate(columns):
        is_number = isinstance(rows[0][place], int)
        side: Literal["left", "right"] = "right" if is_number else "left"
        table.add_column(name, justify=side, overflow="fold", no_wrap=name == "profile")
    for row in rows:
        table.add_row(
            *(f"{cell:,}" if isinstance(cell, int) else escape(cell or "") for cell in row)
        )
    Console(highlight=False).print(table)


def _print(found: "Difference") -> None:
    sizes = found.sizes
    _table(
        "Under the rules that were tried",
        ("", "before", "after"),
        [
            ("profiles", sizes.profiles.before, sizes.profiles.after),
            ("identifiers of nobody", sizes.nobodys.before, sizes.nobodys.after),
            *(
                (f"edges rejected by {rule}", one.before, one.after)
                for rule, one in found.rejections.items()
            ),
        ],
    )
    typer.echo(
        f"{sizes.merged:,} profiles would merge into {sizes.merged_into:,}; {sizes.split:,} would "
        f"split into {sizes.split_into:,}; {sizes.renamed:,} would have another id; "
        f"{sizes.unchanged:,} stay as they are. "
        f"{sizes.moved_identifiers:,} of {sizes.identifiers:,} identifiers would move."
    )
    _table(
        "The largest profiles as they would be",
        ("profile", "identifiers", "of how many now"),
        [(one.profile_id, one.identifiers, one.made_of) for one in found.largest],
    )
    _samples("Would merge, for example", "is made of", found.merged_samples)
    _samples("Would split, for example", "falls into", found.split_samples)


def _samples(title: str, verb: str, samples: Sequence["Sample"]) -> None:
    """Each with its parts, an edge that decides it, and why."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    if not samples:
        return
    console = Console(highlight=False)
    console.print(Text(title, style="italic"))
    for one in samples:
        console.print(Padding(Text(f"{one.profile_id} {verb}"), (0, 0, 0, 1)))
        lines = [
            f"{part} ({size:,} identifiers)" for part, size in list(one.parts.items())[:PARTS_SHOWN]
        ]
        if len(one.parts) > PARTS_SHOWN:
            lines.append(f"and {len(one.parts) - PARTS_SHOWN:,} more")
        for line in lines:
            console.print(Padding(Text(line), (0, 0, 0, 5)))
        if one.a is not None:
            why = f"{one.rule}: {one.reason}" if one.rule else f"records of {one.source}"
            line = f"{one.a} – {one.b}; {why}"
            console.print(Padding(Text(line, style="dim"), (0, 0, 0, 5)))
