"""`muster model`: models that predict, made, looked at, compared, and put in use or back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli_segment_options import terminal, told_plainly

if TYPE_CHECKING:
    from orchestration.predictions.registry import Registry

model_app = typer.Typer(
    no_args_is_help=True,
    help="Models that predict: train, list, show, compare, promote, roll back.",
)
Name = Annotated[str, typer.Argument(help="An entry of dbt_project/predictions.yml.")]
Number = Annotated[str, typer.Argument(help="A version, such as v2; by default the current one.")]


@contextmanager
def _plain_errors() -> Iterator[None]:
    """What a user can mend, in one line and exit code 2."""
    from orchestration.predictions.definitions import PredictionError
    from orchestration.rendering.jinja import RenderError
    from orchestration.resources.warehouse import WarehouseError

    with told_plainly(PredictionError, RenderError, WarehouseError, OSError):
        yield


def _registry() -> "Registry":
    from orchestration.predictions.registry import Registry
    from orchestration.resources.settings import load_settings

    return Registry(load_settings().models)


def _number(text: str) -> int:
    from orchestration.predictions.registry import RegistryError

    if not text.removeprefix("v").isdigit():
        raise RegistryError(f"'{text}' is no version; write v1, v2, ...")
    return int(text.removeprefix("v"))


@model_app.command()
def train(
    names: Annotated[
        list[str] | None, typer.Argument(help="Entries of predictions.yml; by default all.")
    ] = None,
) -> None:
    """Train on the newest build; a version that beats its baseline is current from then on."""
    from orchestration.predictions.cutoffs import TooLittleDataError
    from orchestration.predictions.definitions import load_predictions
    from orchestration.predictions.features import ACTIVITY, Features
    from orchestration.predictions.making import make_version
    from orchestration.predictions.show import print_outcome
    from orchestration.resources.settings import load_settings
    from orchestration.resources.warehouse import open_to_read

    with _plain_errors():
        definitions = load_predictions()
        chosen = names or [*definitions.predictions, *definitions.clusters]
        for name in chosen:
            definitions.of(name)
        with open_to_read(load_settings().warehouse, ACTIVITY) as connection:
            features = Features(connection)
            for name in chosen:
                try:
                    made = make_version(name, definitions, features, _registry(), lambda _: None)
                    print_outcome(terminal(), made)
                except TooLittleDataError as error:
                    typer.echo(f"{name}: not trained: {error}")
    typer.echo("Scores are made by the next build: muster run")


@model_app.command("list")
def list_models() -> None:
    """All entries of predictions.yml: the version in use, how good it is, how far it drifted."""
    from orchestration.predictions.definitions import load_predictions
    from orchestration.predictions.show import print_list

    with _plain_errors():
        print_list(terminal(), load_predictions(), _registry())


@model_app.command()
def show(name: Name, version: Number = "") -> None:
    """What a version is made of and how well it does; its folder has the card and pictures."""
    from orchestration.predictions.registry import RegistryError
    from orchestration.predictions.show import print_version

    with _plain_errors():
        registry = _registry()
        found = registry.version(name, _number(version)) if version else registry.current(name)
        if found is None:
            there = ", ".join(f"v{one.number}" for one in registry.versions(name))
            raise RegistryError(
                f"{name} has no current version; "
                + (f"there are {there}" if there else f"train it: muster model train {name}")
            )
        print_version(terminal(), found, registry)


@model_app.command()
def compare(
    name: Name,
    version: Annotated[str, typer.Argument(help="A version, such as v2.")],
    other: Number = "",
) -> None:
    """Two versions side by side, each judged at its own test cutoff."""
    from orchestration.predictions.registry import RegistryError
    from orchestration.predictions.show import print_comparison

    with _plain_errors():
        registry = _registry()
        first = registry.version(name, _number(version))
        second = registry.version(name, _number(other)) if other else registry.current(name)
        if second is None:
            raise RegistryError(f"{name} has no current version; name the other one")
        print_comparison(terminal(), first, second)


@model_app.command()
def promote(
    name: Name,
    version: Annotated[str, typer.Argument(help="A version, such as v2.")],
    force: Annotated[bool, typer.Option("--force", help="Also one that was refused.")] = False,
) -> None:
    """Put a version in use; the next build scores with it."""
    with _plain_errors():
        made = _registry().promote(name, _number(version), "promoted by hand", force)
        typer.echo(f"{name} v{made.number} is current; the next build scores with it: muster run")


@model_app.command()
def rollback(name: Name) -> None:
    """Put the version in use that was so before."""
    with _plain_errors():
        made = _registry().rollback(name)
        if made is None:
            typer.echo(f"{name} has no current version now; the next build scores without it")
        else:
            typer.echo(f"{name} v{made.number} is current again; next: muster run")
