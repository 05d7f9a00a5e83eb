"""Reads one dropped file into Arrow batches of text columns, good rows here, bad lines there.

No row passes through Python one by one: DuckDB parses. What a row means is not judged here; only
what cannot be read as a row at all is set aside.
"""

import csv
import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.connectors.contract import entities
from orchestration.connectors.definitions import FolderDefinition, Mapping

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SUFFIXES = (".csv", ".jsonl", ".parquet", ".csv.gz", ".jsonl.gz")
MAX_LINE_BYTES = 2_000_000
BATCH_ROWS = 100_000
_CHUNK = 1 << 20


class UnreadableFileError(ValueError):
    """The whole file cannot be trusted; nothing of it is landed, and it is tried again later."""


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


def fingerprint(path: Path) -> str:
    """The SHA-256 of the file's bytes, as hexadecimal text.

    Raises:
        UnreadableFileError: a `.gz` file is cut off or damaged (DuckDB would read it silently as
            far as it goes).
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    if path.suffix == ".gz" and path.stat().st_size:
        try:
            with gzip.open(path, "rb") as stream:
                while stream.read(_CHUNK):
                    pass
        except (EOFError, OSError, ValueError) as error:
            raise UnreadableFileError(
                f"{path.name}: the gzip data is cut off or damaged ({error}); "
                "copy the file again, nothing of it was loaded"
            ) from error
    return digest.hexdigest()


def _first_line(path: Path, encoding: str) -> str:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as stream:
        return stream.readline(MAX_LINE_BYTES).decode(encoding, "replace").lstrip("\ufeff").strip()


def _csv_reading(path: Path, definition: FolderDefinition) -> Reading:
    header = _first_line(path, definition.encoding)
    delimiter = max(",;\t|", key=header.count)
    columns = [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
    if len(set(columns)) != len(columns):
        raise UnreadableFileError(f"{path.name}: two columns have one name in the header: {header}")
    struct = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in columns)
    relation = (
        f"read_csv({quoted(str(path))}, columns={{{struct}}}, auto_detect=false, header=true, "
        f"delim={quoted(delimiter)}, quote='\"', escape='\"', nullstr='', store_rejects=true, "
        f"max_line_size={MAX_LINE_BYTES}, encoding={quoted(definition.encoding)})"
    )
    return Reading(relation, columns)


def _json_reading(path: Path, definition: FolderDefinition) -> Reading:
    # One text column, whose delimiter and quotes never occur: DuckDB's CSV reader is the line
    # reader that sets lines of a wrong encoding or an absurd length aside and goes on.
    relation = (
        f"read_csv({quoted(str(path))}, columns={{'line': 'VARCHAR'}}, auto_detect=false, "
        "header=false, delim='\\x01', quote='', escape='', strict_mode=false, store_rejects=true, "
        f"max_line_size={MAX_LINE_BYTES}, encoding={quoted(definition.encoding)})"
    )
    notes = []
    if _first_line(path, definition.encoding).startswith("["):
        notes.append("a JSON array where one object a line is expected; write JSON Lines instead")
    return Reading(relation, list(definition.fields), json_lines=True, notes=notes)


def open_reading(
    connection: "duckdb.DuckDBPyConnection", path: Path, definition: FolderDefinition
) -> Reading:
    """How to read `path`, from its name and its first line.

    Raises:
        UnreadableFileError: the header or the Parquet footer cannot be used.
    """
    import duckdb

    name = path.name.removesuffix(".gz")
    if name.endswith(".csv"):
        reading = _csv_reading(path, definition)
    elif name.endswith(".jsonl"):
        reading = _json_reading(path, definition)
    else:
        relation = f"read_parquet({quoted(str(path))})"
        try:
            described = connection.execute(f"describe select * from {relation}").fetchall()
        except duckdb.Error as error:
            raise UnreadableFileError(
                f"{path.name}: not a readable Parquet file: {error}"
            ) from error
        reading = Reading(relation, [row[0] for row in described])
    _note_columns(reading, definition)
    return reading


def _note_columns(reading: Reading, definition: FolderDefinition) -> None:
    if reading.json_lines:
        return
    missing = [name for name in definition.fields if name not in reading.columns]
    extra = [
        name for name in reading.columns if definition.fields and name not in definition.fields
    ]
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
        columns = ", ".join(f'"{name}"::varchar as "{name}"' for name in reading.columns)
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
    if reading.json_lines:
        return "_extra"
    used = " ".join(sql for part in definition.entities.values() for sql in part.columns.values())
    extra = [name for name in reading.columns if not re.search(rf"\b{re.escape(name)}\b", used)]
    if not extra:
        return "null::varchar"
    return "to_json({" + ", ".join(f'{quoted(n)}: "{n}"' for n in extra) + "})::varchar"


def entity_sql(
    reading: Reading, definition: FolderDefinition, entity: str, source_file: str
) -> str:
    """The query that turns the file's rows into landing rows of `entity`."""
    mapping: Mapping = definition.entities[entity]
    available = set(reading.columns)
    selected = []
    for name in entities()[entity].columns:
        sql = mapping.columns.get(name, "null")
        referenced = re.findall(r'"([^"]+)"', sql)
        known = all(column in available for column in referenced)
        selected.append(f'({sql if known else "null"})::varchar as "{name}"')
    query = f"""
        with file_rows as ({_rows_sql(reading, source_file)})
        select {", ".join(selected)}, {_extra_sql(reading, definition)} as _extra,
            _source_file, _row_number
        from file_rows"""
    if mapping.one_row_per_key:
        key = ", ".join(f'"{name}"' for name in entities()[entity].key)
        query += f" qualify row_number() over (partition by {key} order by _row_number) = 1"
    return query


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
