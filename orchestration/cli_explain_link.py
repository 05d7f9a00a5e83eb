"""`muster explain link`: what the weight of a probabilistic link of two contacts is made of."""

from pathlib import Path
from typing import Annotated

import typer

# What Splink is given, as tables of the warehouse; the pair may stand in the proposals or not.
_TABLES = ("int_contacts_to_link", "int_identifiers", "int_identity_edges")


def link(
    one: Annotated[
        str, typer.Argument(help="An identifier of a contact: type:value or a bare value.")
    ],
    other: Annotated[str, typer.Argument(help="One of another contact.")],
    picture: Annotated[
        Path | None, typer.Option(help="Write the waterfall as FILE.svg; it shows personal data.")
    ] = None,
) -> None:
    """How much each comparison speaks for, or against, two contacts being one person."""
    from orchestration.identity.probabilistic.contacts import with_components
    from orchestration.identity.probabilistic.model import NotEnoughContactsError
    from orchestration.identity.probabilistic.naming import contact_named
    from orchestration.identity.probabilistic.picture import contributions, waterfall
    from orchestration.identity.probabilistic.rules import ProbabilisticRulesError
    from orchestration.identity.rules import RulesError, load_rules
    from orchestration.resources.settings import load_settings
    from orchestration.resources.warehouse import WarehouseError, open_to_read

    try:
        rules = load_rules()
        needed = f"intermediate.{_TABLES[0]}"
        with open_to_read(load_settings().warehouse, needed) as connection:
            names = [
                contact_named(connection, name, rules.default_country) for name in (one, other)
            ]
            given = [connection.table(f"intermediate.{name}").to_arrow_table() for name in _TABLES]
        contacts = with_components(given[0], given[1], given[2], rules)
        steps = contributions(contacts, rules.probabilistic, *names)
    except (
        RulesError,
        WarehouseError,
        LookupError,
        ProbabilisticRulesError,
        NotEnoughContactsError,
    ) as error:
        typer.secho(str(error), err=True, fg="red")
        raise typer.Exit(2) from None
    accept = rules.probabilistic.accept_weight
    _print(steps.to_pylist(), accept)
    if picture:
        picture.write_text(waterfall(steps, f"{names[0]} and {names[1]}", accept))
        typer.echo(f"wrote {picture}")


def _print(steps: list[dict[str, object]], accept: float) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(
        title="Weights are base-2 logarithms of the odds: +1 doubles them",
        title_justify="left", title_style="bold", header_style="dim", box=None,
    )  # fmt: skip
    for name in ("comparison", "what held", "one", "other"):
        table.add_column(name, overflow="fold")
    for name in ("weight", "sum"):
        table.add_column(name, justify="right", no_wrap=True)
    for step in steps:
        words = (step["step"], step["level"], step["value_a"], step["value_b"])
        numbers = (f"{step['weight']:+.2f}", f"{step['running']:+.2f}")
        table.add_row(*(escape(str(word or "")) for word in words), *numbers)
    Console(highlight=False).print(table)
    typer.echo(f"From {accept:g} on a pair is linked.")
