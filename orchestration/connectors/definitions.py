"""Source definitions: which files of the inbox hold which entity, and how their columns map.

A folder `inbox/<source>/<entity>/` whose name is an entity of the contract (`crm/contacts`) needs
no definition. Any other layout is described in `sources.yml`; no code is written for it.
"""

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from orchestration.connectors.contract import entities

SOURCES_FILE = Path(__file__).with_name("sources.yml")


class DefinitionError(ValueError):
    """`sources.yml` (or its replacement) does not describe a source Muster can read."""


class Mapping(BaseModel):
    """How rows become one entity: for each column a SQL expression over the source's columns.

    `deleted` is a condition: a record for which it holds says that the source deleted its key.
    """

    model_config = ConfigDict(extra="forbid")
    columns: dict[str, str]
    one_row_per_key: bool = False
    deleted: str = ""


class FolderDefinition(BaseModel):
    """One folder of the inbox: which entities its files yield; `fields` names JSON Lines keys."""

    model_config = ConfigDict(extra="forbid")
    folder: str
    entities: dict[str, Mapping]
    fields: tuple[str, ...] = ()
    encoding: str = "utf-8"

    @property
    def source(self) -> str:
        """The first part of the folder: the landing dataset the rows go to."""
        return self.folder.split("/")[0]


def _default_definitions() -> list[FolderDefinition]:
    found = []
    for entity in entities().values():
        source, _, rest = entity.name.partition("_")
        mapping = Mapping(columns={name: f'"{name}"' for name in entity.columns})
        found.append(
            FolderDefinition(
                folder=f"{source}/{rest}", entities={entity.name: mapping}, fields=entity.columns
            )
        )
    return found


def _check(definition: FolderDefinition, where: Path) -> None:
    for name, mapping in definition.entities.items():
        if name not in entities():
            known = ", ".join(entities())
            raise DefinitionError(f"{where}: unknown entity {name!r}; the contract has {known}")
        unknown = sorted(set(mapping.columns) - set(entities()[name].columns))
        if unknown:
            raise DefinitionError(f"{where}: {name} has no column {', '.join(unknown)}")


@cache
def load_definitions(path: Path = SOURCES_FILE) -> dict[str, FolderDefinition]:
    """All definitions by folder: the contract's own, and those of `path`.

    Raises:
        DefinitionError: the file is not valid; the message names the entry and the cure.
    """
    try:
        raw = yaml.safe_load(path.read_text()) or {}
        own = [FolderDefinition(**entry) for entry in raw.get("folders", [])]
    except (yaml.YAMLError, ValidationError, TypeError) as error:
        raise DefinitionError(f"{path}: {error}") from error
    for definition in own:
        _check(definition, path)
    return {definition.folder: definition for definition in [*_default_definitions(), *own]}
