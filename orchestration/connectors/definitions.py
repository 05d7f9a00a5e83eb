"""Source definitions: which files of the inbox hold which entity, and how their columns map.

A folder `inbox/<source>/<entity>/` whose name is an entity of the contract (`crm/contacts`) needs
no definition. Layouts of well-known tools stand in `mappings/`, one file each; any other layout is
described in `sources.yml`, whose entries win. No code is written for a layout.
"""

import re
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from orchestration.connectors.contract import entities

# A connection that runs expressions of `tried` must set this: else DuckDB takes what two of them
# share out of both, where a failure stops the query (in versions before 2.0.1).
TRY_EACH = "set disabled_optimizers = 'common_subexpressions'"
SOURCES_FILE = Path(__file__).with_name("sources.yml")
MAPPINGS_FOLDER = Path(__file__).with_name("mappings")


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


class FileMapping(Mapping):
    """A mapping of files, in which one record may yield no row of the entity, or several.

    `where` is a condition for records that are of this entity at all. `each` is a JSON array in a
    record: one row is made for each member, which expressions call `item` (`item_number` counts
    from 1); a record without members makes one row, with no item. `names` translates the source's
    event names, after `name` was made snake_case; a name that is not there stays as it is.
    """

    where: str = ""
    each: str = ""
    names: dict[str, str] = {}

    def translated(self, given: str) -> str:
        """The SQL expression of an event's name, from that of the source's in snake_case."""
        cases = " ".join(
            f"when snake_case({quoted(theirs)}) then {quoted(ours)}"
            for theirs, ours in self.names.items()
        )
        return f"case {given} {cases} else {given} end" if cases else given


class FolderDefinition(BaseModel):
    """One folder of the inbox: which entities its files yield.

    `fields` names the keys of JSON Lines, and the columns of a text file without a header line
    (`header: false`). `let` names expressions over the columns that mappings may use.
    """

    model_config = ConfigDict(extra="forbid")
    folder: str
    entities: dict[str, FileMapping]
    fields: tuple[str, ...] = ()
    header: bool = True
    let: dict[str, str] = {}
    encoding: str = "utf-8"

    @property
    def source(self) -> str:
        """The first part of the folder: the landing dataset the rows go to."""
        return self.folder.split("/")[0]


def quoted(value: str) -> str:
    """`value` as a SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def tried(sql: str) -> str:
    """The expression, null where it fails; of a mere column, itself."""
    if re.fullmatch(r'\s*("[^"]+"|null)\s*', sql):
        return sql
    # Not try(sql): after a failure DuckDB repeats a block row by row into a result of one row, and
    # a `coalesce` or `case` right below `try` writes outside of it, which ends the process
    # (duckdb/duckdb#25280, in all versions before 2.0.1). Inside a list they have room.
    return f"try([{sql}][1])"


def referenced(sql: str) -> set[str]:
    """Columns that an expression names, in lower case; it names them in double quotes."""
    without_texts = re.sub(r"'(?:[^']|'')*'", "''", sql)
    return {name.lower() for name in re.findall(r'"([^"]+)"', without_texts)}


def _default_definitions() -> list[FolderDefinition]:
    found = []
    for entity in entities().values():
        source, _, rest = entity.name.partition("_")
        mapping = FileMapping(columns={name: f'"{name}"' for name in entity.columns})
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
    if not definition.header and not definition.fields:
        raise DefinitionError(
            f"{where}: {definition.folder} has no header line; name its columns in fields"
        )


def _shipped_mappings() -> list[FolderDefinition]:
    """The mapping files of well-known tools.

    Raises:
        DefinitionError: one of them is not valid; the message names it.
    """
    found = []
    for path in sorted(MAPPINGS_FOLDER.glob("*.yml")):
        try:
            definition = FolderDefinition(**yaml.safe_load(path.read_text()))
        except (yaml.YAMLError, ValidationError, TypeError) as error:
            raise DefinitionError(f"{path}: {error}") from error
        _check(definition, path)
        found.append(definition)
    return found


def functions() -> str:
    """SQL that creates the functions which mapping files use."""
    return (MAPPINGS_FOLDER / "functions.sql").read_text()


@cache
def load_definitions(path: Path = SOURCES_FILE) -> dict[str, FolderDefinition]:
    """All definitions by folder: the contract's own, the shipped mappings, and those of `path`.

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
    known = [*_default_definitions(), *_shipped_mappings(), *own]
    return {definition.folder: definition for definition in known}
