"""Source definitions: which files of the inbox hold which entity, and how their columns map.

A folder `inbox/<source>/<entity>/` whose name is an entity of the contract (`crm/contacts`) needs
no definition. Layouts of well-known tools stand in `mappings/`, one file each; any other layout is
described in `sources.yml`, whose entries win. No code is written for a layout.
"""

import os
import re
from collections.abc import Iterable
from collections.abc import Mapping as PyMapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestration.connectors.contract import entities
from orchestration.near import did_you_mean

# A connection that runs expressions of `tried` must set this: else DuckDB takes what two of them
# share out of both, where a failure stops the query (in versions before 2.0.1).
TRY_EACH = "set disabled_optimizers = 'common_subexpressions'"
SOURCES_FILE = Path(__file__).with_name("sources.yml")
MAPPINGS_FOLDER = Path(__file__).with_name("mappings")
_SECTIONS = ("sources", "folders")


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
    folder: Annotated[str, Field(pattern=r"^[^/]+/[^/]+$")]
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


def sources_file() -> Path:
    """`MUSTER_SOURCES`, or the project's own file."""
    return Path(os.environ.get("MUSTER_SOURCES") or SOURCES_FILE)


def _parsed(path: Path) -> Any:  # whatever stands in a YAML file
    try:
        return yaml.safe_load(path.read_text())
    except OSError as error:
        raise DefinitionError(f"{path}: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DefinitionError(f"{path}, line {line}: no YAML: {error.problem}") from None


def section(path: Path, name: str) -> list[tuple[str, dict[str, Any]]]:
    """The entries of one section of `sources.yml`, each with its place for messages.

    Raises:
        DefinitionError: the file cannot be read, or is no list of blocks in known sections.
    """
    raw = _parsed(path) or {}
    if not isinstance(raw, dict) or (unknown := sorted(set(raw) - set(_SECTIONS))):
        found = f"not {', '.join(map(str, unknown))}" if isinstance(raw, dict) else "nothing else"
        raise DefinitionError(f"{path}: the file has the sections {', '.join(_SECTIONS)}, {found}")
    entries = raw.get(name) or []
    if not isinstance(entries, list):
        raise DefinitionError(f"{path}: {name} is a list; begin each entry with `- `")
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            raise DefinitionError(f"{path.name}, {name} {number}: not a block of settings")
    return [(f"{path.name}, {name} {number}", entry) for number, entry in enumerate(entries, 1)]


def faults(error: ValidationError, known: Iterable[str] = ()) -> str:
    """What pydantic found, in the words of a YAML file and in one line; `known` are settings."""
    words = {"extra_forbidden": "there is no such setting", "missing": "is needed"}
    return "; ".join(
        f"{'.'.join(str(step) for step in fault['loc']) or 'all'}: "
        + words.get(fault["type"], fault["msg"].removeprefix("Value error, "))
        + (did_you_mean(str(fault["loc"][-1]), known) if fault["type"] == "extra_forbidden" else "")
        for fault in error.errors(include_input=False, include_url=False)
    )


Kind = TypeVar("Kind", bound=BaseModel)


def of_kind(entry: dict[str, Any], known: PyMapping[str, type[Kind]], where: str) -> Kind:
    """An entry as the class that its `type` names.

    Args:
        entry: its settings.
        known: classes by type.
        where: its place, for messages.

    Raises:
        DefinitionError: there is no such type, or its settings are not valid.
    """
    kind = entry.get("type")
    found = known.get(str(kind))
    if found is None:
        near = did_you_mean(str(kind), known)
        raise DefinitionError(f"{where}: type {kind!r} is none of {', '.join(sorted(known))}{near}")
    try:
        return found(**entry)
    except ValidationError as error:
        raise DefinitionError(f"{where}: {faults(error, found.model_fields)}") from None


def check_mapping(entity: str, columns: dict[str, str], others: dict[str, str]) -> None:
    """Compare a mapping with the contract, and let DuckDB read all its expressions.

    Raises:
        ValueError: the entity or one of its columns does not exist, or its key is not mapped,
            or an expression is no SQL.
    """
    known = entities()
    if entity not in known:
        raise ValueError(f"unknown entity {entity!r}; there are {', '.join(known)}")
    if unknown := sorted(set(columns) - set(known[entity].columns)):
        raise ValueError(f"{entity} has no column {', '.join(unknown)}")
    if missing := [key for key in known[entity].key if key not in columns]:
        raise ValueError(f"{entity} needs its key: map {', '.join(missing)}")
    for name, sql in [*columns.items(), *others.items()]:
        _check_syntax(name, sql)


def _check_syntax(name: str, sql: str) -> None:
    import duckdb

    try:
        duckdb.extract_statements(f"select ({sql or 'null'})")
    except duckdb.Error as error:
        cause = str(error).splitlines()[0].removeprefix("Parser Error: ")
        raise ValueError(f"the mapping of {name} is no SQL expression: {sql} ({cause})") from None


def _definition(entry: dict[str, Any], where: str) -> FolderDefinition:
    """An entry of `folders:`, or a mapping file, with everything checked.

    Raises:
        DefinitionError: it is not valid.
    """
    where = f"{where} ({entry.get('folder', 'without a folder')})"
    try:
        definition = FolderDefinition(**entry)
        for name, mapping in definition.entities.items():
            others = {"where": mapping.where, "each": mapping.each, **definition.let}
            check_mapping(name, mapping.columns, others)
    except ValidationError as error:
        raise DefinitionError(f"{where}: {faults(error)}") from None
    except ValueError as error:
        raise DefinitionError(f"{where}: {error}") from None
    if not definition.header and not definition.fields:
        raise DefinitionError(f"{where}: without a header line, name the columns in fields")
    return definition


def functions() -> str:
    """SQL that creates the functions which mapping files use."""
    return (MAPPINGS_FOLDER / "functions.sql").read_text()


@cache
def _load(path: Path) -> dict[str, FolderDefinition]:
    known = [
        *_default_definitions(),
        *(_definition(_parsed(file), file.name) for file in sorted(MAPPINGS_FOLDER.glob("*.yml"))),
        *(_definition(entry, where) for where, entry in section(path, "folders")),
    ]
    return {definition.folder: definition for definition in known}


def load_definitions() -> dict[str, FolderDefinition]:
    """All definitions by folder: the contract's own, the shipped mappings, and `sources.yml`'s.

    Raises:
        DefinitionError: a file is not valid; the message names the entry and the cure.
    """
    return _load(sources_file())
