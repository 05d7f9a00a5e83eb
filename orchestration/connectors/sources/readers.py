"""Reads one dropped file into Arrow batches of text columns, good rows here, bad lines there.

No row passes through Python one by one: DuckDB parses. What a row means is not judged here; only
what cannot be read as a row at all is set aside.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.connectors.contract import entities
from orchestration.connectors.definitions import FolderDefinition, Mapping
from orchestration.connectors.sources.raw_files import (
    MAX_LINE_BYTES,
    UnreadableFileError,
    encoding_of,
    first_line,
)

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SUFFIXES = (".csv", ".jsonl", ".parquet", ".csv.gz", ".jsonl.gz")
BATCH_ROWS = 100_000


# Columns that landing adds; a file's own column of such a name gets an underscore behind it.
_RESERVED = frozenset({"_source_file", "_row_number", "_extra", "_landed_at", "_load_id"})


@dataclass(frozen=True)
class RejectedLine:
    """A line that could not be read as a row. `line_number` counts from 1."""

    line_number: int
    reason: str
    content: str


@dataclass
class Reading:
    """How to read one file: a relation of text columns, and what was noticed before reading."""

    relation: str
    columns: list[str]
    json_lines: bool = False
    notes: list[str] = field(default_factory=list)


def quoted(value: str) -> str:
    """`value` as a SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """`name` as a SQL identifier, whatever stands in it."""
    return '"' + name.replace('"', '""') + '"'


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


def _csv_reading(path: Path, definition: FolderDefinition) -> Reading:
    encoding = encoding_of(path, definition.encoding)
    header = first_line(path, encoding)
    if not header:
        raise UnreadableFileError(
            f"{path.name}: the first line is empty; it must hold the column names"
        )
    delimiter = max(",;\t|", key=header.count)
    names = next(csv.reader([header], delimiter=delimiter), [])
    notes: list[str] = []
    columns = _column_names(path, names, notes)
    struct = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in columns)
    relation = (
        f"read_csv({quoted(str(path))}, columns={{{struct}}}, auto_detect=false, header=true, "
        f"delim={quoted(delimiter)}, quote='\"', escape='\"', nullstr='', store_rejects=true, "
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
    return Reading(relation, list(definition.fields), json_lines=True, notes=notes)


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
    if columns != given:
        renamed = ", ".join(
            f"{identifier(old)} as {identifier(new)}"
            for old, new in zip(given, columns, strict=True)
        )
        relation = f"(select {renamed} from {relation})"
    return Reading(relation, columns, notes=notes)


def open_reading(
    connection: "duckdb.DuckDBPyConnection", path: Path, definition: FolderDefinition
) -> Reading:
    """How to read `path`, from its name and its first line.

    Raises:
        UnreadableFileError: the header or the Parquet footer cannot be used.
    """
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".jsonl"):
        return _json_reading(path, definition)
    reading = (
        _csv_reading(path, definition)
        if name.endswith(".csv")
        else _parquet_reading(connection, path)
    )
    _compare_columns(path, reading, definition)
    return reading


def _referenced(sql: str) -> set[str]:
    """Columns that a mapping's expression names, in lower case; it names them in double quotes."""
    return {name.lower() for name in re.findall(r'"([^"]+)"', sql)}


def _compare_columns(path: Path, reading: Reading, definition: FolderDefinition) -> None:
    """Note what is missing and unknown.

    Raises:
        UnreadableFileError: the file cannot be of this entity, since its key is not there.
    """
    present = {name.lower() for name in reading.columns}
    for entity, mapping in definition.entities.items():
        needed = set().union(
            *(_referenced(mapping.columns.get(key, "")) for key in entities()[entity].key)
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


def _numbered_lines_sql(reading: Reading) -> str:
    # The case keeps json_type away from lines that are no JSON, on which it raises.
    return f"""select line, row_number() over () as _row_number,
        case when json_valid(line) then json_type(line) end as kind
        from {reading.relation}"""


def _rows_sql(reading: Reading, source_file: str) -> str:
    """A query for the file's readable rows: its columns as text, and row number."""
    location = f"{quoted(source_file)} as _source_file"
    if not reading.json_lines:
        names = [identifier(name) for name in reading.columns]
        columns = ", ".join(f"{name}::varchar as {name}" for name in names)
        number = "row_number() over () as _row_number"
        return f"select {columns}, {number}, {location} from {reading.relation}"
    structure = ", ".join(f'"{name}":"VARCHAR"' for name in reading.columns)
    known = "[" + ", ".join(quoted(name) for name in reading.columns) + "]"
    return f"""
        with numbered as ({_numbered_lines_sql(reading)}),
        objects as (select * from numbered where kind = 'OBJECT')
        select
            unnest(json_transform(line, {quoted("{" + structure + "}")})),
            case when len(list_filter(json_keys(line), k -> not list_contains({known}, k))) > 0
                then to_json(map_from_entries(list_transform(
                    list_filter(json_keys(line), k -> not list_contains({known}, k)),
                    k -> struct_pack(
                        k := k, v := try(json_extract(line, '$."' || k || '"'))
                    )
                )))::varchar
            end as _extra,
            _row_number, {location}
        from objects"""


def _extra_sql(reading: Reading, definition: FolderDefinition) -> str:
    """JSON of the columns that do not land as they are, so that no value of a file is lost."""
    if reading.json_lines:
        return "_extra"
    landed_as_is = {
        sql.strip().strip('"').lower()
        for part in definition.entities.values()
        for sql in part.columns.values()
    }
    extra = [name for name in reading.columns if name.lower() not in landed_as_is]
    if not extra:
        return "null::varchar"
    return "to_json({" + ", ".join(f"{quoted(n)}: {identifier(n)}" for n in extra) + "})::varchar"


def entity_sql(
    reading: Reading, definition: FolderDefinition, entity: str, source_file: str
) -> str:
    """The query that turns the file's rows into landing rows of `entity`.

    An expression that fails on a row gives null there; the value it was made of is in `_extra`.
    """
    mapping: Mapping = definition.entities[entity]
    available = {name.lower() for name in reading.columns}
    selected = []
    for name in entities()[entity].columns:
        sql = mapping.columns.get(name, "null")
        known = _referenced(sql) <= available
        selected.append(f'try({sql if known else "null"})::varchar as "{name}"')
    query = f"""
        with file_rows as ({_rows_sql(reading, source_file)})
        select {", ".join(selected)}, {_extra_sql(reading, definition)} as _extra,
            _source_file, _row_number
        from file_rows"""
    if mapping.one_row_per_key:
        key = ", ".join(f'"{name}"' for name in entities()[entity].key)
        query += f" qualify row_number() over (partition by {key} order by _row_number) = 1"
    return query


def check_queries(
    connection: "duckdb.DuckDBPyConnection", reading: Reading, definition: FolderDefinition
) -> None:
    """Prepare each entity's query, so that a file that cannot be queried is known beforehand.

    Raises:
        UnreadableFileError: it cannot; a mapping may name what the file does not have.
    """
    import duckdb

    for entity in definition.entities:
        try:
            connection.execute(f"explain {entity_sql(reading, definition, entity, '')}").fetchall()
        except duckdb.Error as error:
            raise UnreadableFileError(str(error).splitlines()[0]) from error


def read_batches(connection: "duckdb.DuckDBPyConnection", query: str) -> "Iterator[pa.RecordBatch]":
    """The query's rows as Arrow batches of at most 100,000 rows, streamed."""
    connection.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    yield from connection.execute(query).to_arrow_reader(BATCH_ROWS)


def rejected_lines(connection: "duckdb.DuckDBPyConnection", reading: Reading) -> list[RejectedLine]:
    """Lines of the file last read that are no rows, or no object, in their order."""
    tables = connection.execute("show tables").fetchall()
    found = []
    if ("reject_errors",) in tables:
        rows = connection.execute(
            "select distinct on (line) line, lower(error_type::varchar) || ': ' || error_message, "
            f"left(csv_line, {MAX_LINE_BYTES}) from reject_errors order by line"
        ).fetchall()
        found = [RejectedLine(*row) for row in rows]
    if reading.json_lines:
        rows = connection.execute(
            f"""with numbered as ({_numbered_lines_sql(reading)})
            select
                _row_number,
                coalesce(
                    'a JSON ' || lower(kind) || ' where an object is expected', 'not valid JSON'
                ),
                line
            from numbered
            where trim(line) <> '' and kind is distinct from 'OBJECT'"""
        ).fetchall()
        found += [RejectedLine(*row) for row in rows]
    return sorted(found, key=lambda item: (item.line_number, item.reason))
