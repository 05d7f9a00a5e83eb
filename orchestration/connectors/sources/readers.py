"""How one dropped file is opened: a DuckDB relation over it, its columns, what was noticed.

DuckDB parses; no row passes through Python. What the rows become stands in `queries.py`.
"""

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.connectors.contract import entities
from orchestration.connectors.definitions import (
    FolderDefinition,
    quoted,
    referenced,
)
from orchestration.connectors.sources.raw_files import (
    MAX_LINE_BYTES,
    UnreadableFileError,
    encoding_of,
    first_line,
)

if TYPE_CHECKING:
    import duckdb

# What a name says of its file. JSON is always one object a line.
_FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
    ".parquet": "parquet",
}
FORMATS_READ = ".csv, .tsv, .jsonl, .ndjson, .json (one object a line), each also .gz, and .parquet"

# Columns that landing adds; a file's own column of such a name gets an underscore behind it.
_RESERVED = frozenset({"_source_file", "_row_number", "_extra", "_landed_at", "_load_id"})


@dataclass
class Reading:
    """How to read one file: a relation of text columns, and what was noticed before reading.

    `nested` names the columns whose text is JSON. What is only read carefully is known from the
    beginning not to be plain UTF-8. If sliced, the lines come from a registered table, of which
    it may be known that no object has a key that does not land.
    """

    relation: str
    columns: list[str]
    json_lines: bool = False
    nested: frozenset[str] = frozenset()
    is_only_careful: bool = False
    is_sliced: bool = False
    has_extra_keys: bool = True
    notes: list[str] = field(default_factory=list)


def identifier(name: str) -> str:
    """`name` as a SQL identifier, whatever stands in it."""
    return '"' + name.replace('"', '""') + '"'


def is_readable(path: Path) -> bool:
    """Whether the name is one of a file that is read."""
    return path.name.lower().endswith((*_FORMATS, ".gz"))


def _format_of(path: Path, encoding: str) -> str:
    """The format by the name, or of a `.gz` whose name does not say it by the first line.

    Raises:
        UnreadableFileError: neither tells.
    """
    name = path.name.lower().removesuffix(".gz")
    for suffix, found in _FORMATS.items():
        if name.endswith(suffix):
            return found
    # Segment and Snowplow call their files so.
    line = first_line(path, encoding_of(path, encoding))
    if line.startswith("{"):
        return "json"
    if "\t" in line:
        return "tsv"
    raise UnreadableFileError(
        f"{path.name}: neither its name nor its first line says what it holds; name it .csv.gz, "
        ".tsv.gz or .jsonl.gz"
    )


def _column_names(path: Path, names: list[str], notes: list[str]) -> list[str]:
    """Names under which the columns can be selected; none is empty, reserved or there twice."""
    found = []
    for number, given in enumerate(names, start=1):
        name = given.strip() or f"column_{number}"
        if name.lower() in _RESERVED:
            notes.append(f"column {name} is read as {name}_, since landing has one of that name")
            name += "_"
        found.append(name)
    if len({name.lower() for name in found}) != len(found):
        raise UnreadableFileError(
            f"{path.name}: two columns have one name in the header: {', '.join(names)[:200]}"
        )
    return found


def _text_reading(path: Path, definition: FolderDefinition, is_tsv: bool) -> Reading:
    """A text file with columns: CSV, whose delimiter is guessed, or TSV, which knows no quotes."""
    encoding = encoding_of(path, definition.encoding)
    header = first_line(path, encoding)
    if definition.header and not header:
        raise UnreadableFileError(
            f"{path.name}: the first line is empty; it must hold the column names"
        )
    delimiter = "\t" if is_tsv else max(",;\t|", key=header.count)
    quote = "" if is_tsv else '"'
    notes: list[str] = []
    names = list(definition.fields)
    if definition.header:
        names = (
            header.split(delimiter)
            if is_tsv
            else next(csv.reader([header], delimiter=delimiter), [])
        )
    columns = _column_names(path, names, notes)
    struct = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in columns)
    relation = (
        f"read_csv({quoted(str(path))}, columns={{{struct}}}, auto_detect=false, "
        f"header={str(definition.header).lower()}, delim={quoted(delimiter)}, "
        f"quote={quoted(quote)}, escape={quoted(quote)}, nullstr='', store_rejects=true, "
        f"max_line_size={MAX_LINE_BYTES}, encoding={quoted(encoding)})"
    )
    return Reading(relation, columns, notes=notes)


def _json_reading(path: Path, definition: FolderDefinition) -> Reading:
    encoding = encoding_of(path, definition.encoding)
    # One text column, whose delimiter and quotes never occur: DuckDB's CSV reader is the line
    # reader that sets lines of a wrong encoding or an absurd length aside and goes on.
    relation = (
        f"read_csv({quoted(str(path))}, columns={{'line': 'VARCHAR'}}, auto_detect=false, "
        "header=false, delim='\\x01', quote='', escape='', strict_mode=false, store_rejects=true, "
        f"max_line_size={MAX_LINE_BYTES}, encoding={quoted(encoding)})"
    )
    notes = []
    if first_line(path, encoding).startswith("["):
        notes.append("a JSON array where one object a line is expected; write JSON Lines instead")
    return Reading(
        relation,
        list(definition.fields),
        json_lines=True,
        is_only_careful=encoding.lower() != "utf-8",
        notes=notes,
    )


def _parquet_reading(connection: "duckdb.DuckDBPyConnection", path: Path) -> Reading:
    import duckdb

    relation = f"read_parquet({quoted(str(path))})"
    try:
        described = connection.execute(f"describe select * from {relation}").fetchall()
    except duckdb.Error as error:
        cause = str(error).splitlines()[0]
        raise UnreadableFileError(f"{path.name}: not a readable Parquet file: {cause}") from error
    given = [row[0] for row in described]
    notes: list[str] = []
    columns = _column_names(path, given, notes)
    nested = frozenset(
        name
        for name, row in zip(columns, described, strict=True)
        if row[1].endswith("]") or row[1].startswith(("STRUCT", "MAP", "UNION"))
    )
    # The text of a nested value is JSON; that of DuckDB's own cast is not.
    selected = ", ".join(
        f"case when {identifier(old)} is not null then to_json({identifier(old)}) end as "
        f"{identifier(new)}"
        if new in nested
        else f"{identifier(old)} as {identifier(new)}"
        for old, new in zip(given, columns, strict=True)
    )
    return Reading(f"(select {selected} from {relation})", columns, nested=nested, notes=notes)


def open_reading(
    connection: "duckdb.DuckDBPyConnection", path: Path, definition: FolderDefinition
) -> Reading:
    """How to read `path`, from its name and its first line.

    Raises:
        UnreadableFileError: the format is not known, or the header or the Parquet footer cannot be
            used.
    """
    format_ = _format_of(path, definition.encoding)
    if format_ == "json":
        return _json_reading(path, definition)
    reading = (
        _parquet_reading(connection, path)
        if format_ == "parquet"
        else _text_reading(path, definition, is_tsv=format_ == "tsv")
    )
    _compare_columns(path, reading, definition)
    return reading


def _compare_columns(path: Path, reading: Reading, definition: FolderDefinition) -> None:
    """Note what is missing and unknown.

    Raises:
        UnreadableFileError: the file cannot be of this entity, since its key is not there.
    """
    present = {name.lower() for name in reading.columns}
    for entity, mapping in definition.entities.items():
        needed = set().union(
            *(referenced(mapping.columns.get(key, "")) for key in entities()[entity].key)
        )
        if not needed <= present:
            raise UnreadableFileError(
                f"{path.name}: no column {', '.join(sorted(needed - present))}, the key of "
                f"{entity.replace('_', '.', 1)}; the first line says: "
                f"{', '.join(reading.columns)[:200]}"
            )
    known = {name.lower() for name in definition.fields}
    missing = [name for name in definition.fields if name not in present]
    extra = [name for name in reading.columns if known and name.lower() not in known]
    if missing:
        reading.notes.append(f"missing columns, read as null: {', '.join(missing)}")
    if extra:
        reading.notes.append(f"unknown columns, kept in _extra: {', '.join(extra)}")
