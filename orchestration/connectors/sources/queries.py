"""The SQL that turns what a reader found in one file into landing rows, and into rejected lines.

How a file is opened stands in `readers.py`; what a layout means stands in its definition. Each
query has two forms. The quick one fails at the first line or value that is not as it should be;
the careful one, which takes twice as long, then reads the file again and sets such things aside.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestration.connectors.contract import entities
from orchestration.connectors.definitions import (
    TRY_EACH,
    FileMapping,
    FolderDefinition,
    functions,
    quoted,
    referenced,
    tried,
)
from orchestration.connectors.sources.raw_files import MAX_LINE_BYTES, UnreadableFileError
from orchestration.connectors.sources.readers import Reading, identifier

if TYPE_CHECKING:
    import duckdb

# A slice of JSON Lines stands here: some of `raw_files.line_batches`, registered by this name.
LINES = "numbered_lines"

# JSON allows these blanks before its value. DuckDB raises by itself on a line that is no JSON.
_BEGINS_AS_OBJECT = r"starts_with(ltrim(line, e' \t\r'), '{')"
_IS_OBJECT = f"json_valid(line) and {_BEGINS_AS_OBJECT}"
_OBJECT_OR_FAIL = f"({_BEGINS_AS_OBJECT} or error('a line is no object')::boolean)"


@dataclass(frozen=True)
class RejectedLine:
    """A line that could not be read as a row. `line_number` counts from 1."""

    line_number: int
    reason: str
    content: str


def open_connection(*, threads: int = 2, memory: str = "700MB") -> "duckdb.DuckDBPyConnection":
    """A connection of its own, with the settings and functions that careful queries need."""
    import duckdb

    connection = duckdb.connect(config={"threads": threads, "memory_limit": memory})
    connection.execute("set timezone = 'UTC'")
    connection.execute(functions())
    connection.execute(TRY_EACH)
    return connection


def _landed_as_is(definition: FolderDefinition) -> set[str]:
    """Columns of the file that some column of landing holds unchanged, in lower case."""
    return {
        sql.strip().strip('"').lower()
        for mapping in definition.entities.values()
        for sql in mapping.columns.values()
    }


def _numbered_lines_sql(reading: Reading) -> str:
    if reading.is_sliced:
        return f"select rtrim(line, e'\\r\\n') as line, _row_number from {LINES}"
    return f"select line, row_number() over () as _row_number from {reading.relation}"


def _json_rows_sql(reading: Reading, landed: set[str], careful: bool) -> str:
    """Rows of JSON Lines: known keys as text columns; the others, and parts of them, in `_extra`.

    To look for other keys costs more than to parse the line, so it is only done where there are
    more keys than values that land.
    """
    structure = "{" + ", ".join(f'"{name}":"VARCHAR"' for name in reading.columns) + "}"
    landing = [name for name in reading.columns if name.lower() in landed]
    known = "[" + ", ".join(quoted(name) for name in landing) + "]::varchar[]"
    values = " + ".join(f"(fields.{identifier(name)} is not null)::int" for name in landing)
    pointer = "'/' || replace(replace(k, '~', '~0'), '/', '~1')"
    if not reading.has_extra_keys:
        return f"""
            select unnest(json_transform(line, {quoted(structure)})), _row_number,
                null::varchar as _extra
            from {LINES} where {_OBJECT_OR_FAIL}"""
    return f"""
        with objects as (
            select line, _row_number, json_transform(line, {quoted(structure)}) as fields
            from ({_numbered_lines_sql(reading) if careful else "from " + LINES})
            where {_IS_OBJECT if careful else _OBJECT_OR_FAIL}
        ),
        compared as (
            select *, case when len(json_keys(line)) > {values or "0"} then list_filter(
                list_distinct(json_keys(line)), lambda k: not list_contains({known}, k)
            ) end as others
            from objects
        )
        select unnest(fields), _row_number,
            case when len(others) > 0 then to_json(map_from_entries(list_transform(
                others, lambda k: struct_pack(k := k, v := try(json_extract(line, {pointer})))
            )))::varchar end as _extra
        from compared"""


def has_extra_keys(
    connection: "duckdb.DuckDBPyConnection", reading: Reading, definition: FolderDefinition
) -> bool:
    """Whether any object of the slice has a key whose value would not land as it is.

    Asked once for a slice, since to ask it of each row costs a third of the reading.

    Raises:
        duckdb.Error: a line is no JSON.
    """
    landed = _landed_as_is(definition)
    keys = connection.execute(
        f"""select distinct unnest(string_split(keys, chr(1))) from (
            select distinct array_to_string(json_keys(line), chr(1)) as keys from {LINES}
        )"""
    ).fetchall()
    known = {name for name in reading.columns if name.lower() in landed}
    return any(row[0] not in known for row in keys)


def _column_rows_sql(reading: Reading, definition: FolderDefinition, landed: set[str]) -> str:
    """Rows of a file with columns, as text; what does not land as it is in `_extra`."""
    present = {name.lower() for name in reading.columns}
    columns = [f"{identifier(name)}::varchar as {identifier(name)}" for name in reading.columns]
    columns += [
        f"null::varchar as {identifier(name)}"
        for name in definition.fields
        if name.lower() not in present
    ]
    extra = [
        f"{quoted(name)}: {identifier(name)}" + ("::json" if name in reading.nested else "")
        for name in reading.columns
        if name.lower() not in landed
    ]
    kept = f"to_json({{{', '.join(extra)}}})::varchar" if extra else "null::varchar"
    return f"""
        with numbered as (
            select {", ".join(columns)}, row_number() over () as _row_number
            from {reading.relation}
        )
        select *, {kept} as _extra from numbered"""


def _tried(sql: str, careful: bool) -> str:
    """The expression; in the careful form null where it fails."""
    return tried(sql) if careful else f"({sql})"


def _rows_sql(
    reading: Reading, definition: FolderDefinition, source_file: str, careful: bool
) -> str:
    """The file's readable rows, with where they stand and what the definition names in `let`."""
    landed = _landed_as_is(definition)
    rows = (
        _json_rows_sql(reading, landed, careful)
        if reading.json_lines
        else _column_rows_sql(reading, definition, landed)
    )
    query = f"select *, {quoted(source_file)} as _source_file from ({rows})"
    for name, sql in definition.let.items():
        query = f"select *, {_tried(sql, careful)} as {identifier(name)} from ({query})"
    return query


def _members_sql(mapping: FileMapping, rows: str) -> str:
    """One row for each member of `each`, and one with no item for a record that has none."""
    if not mapping.each:
        return rows
    return f"""
        select * exclude (_members), unnest(_members) as item,
            unnest(range(1, len(_members) + 1)) as item_number
        from (
            select *, case when len(json_list({mapping.each})) > 0 then json_list({mapping.each})
                else [null::json] end as _members
            from ({rows})
        )"""


def entity_sql(
    reading: Reading,
    definition: FolderDefinition,
    entity: str,
    source_file: str,
    *,
    careful: bool = True,
) -> str:
    """The query that turns the file's rows into landing rows of `entity`.

    An expression that fails on a row gives null there; the value it was made of is in `_extra`.
    The form that is not careful fails then, and on a line that is no object.
    """
    mapping = definition.entities[entity]
    available = {name.lower() for name in (*reading.columns, *definition.fields)}
    rows = _rows_sql(reading, definition, source_file, careful)
    if mapping.where:
        condition = _tried(mapping.where, careful)
        rows = f"select * from ({rows}) where coalesce({condition}, false)"
    rows = _members_sql(mapping, rows)
    selected = []
    for name in entities()[entity].columns:
        sql = mapping.columns.get(name, "null")
        sql = _tried(sql if referenced(sql) <= available else "null", careful)
        if name == "name" and mapping.names:
            # Made below, so that it is made once and not for each name that it is compared with.
            rows = f"select *, snake_case({sql}::varchar) as _given_name from ({rows})"
            sql = mapping.translated("_given_name")
        selected.append(f'{sql}::varchar as "{name}"')
    query = f"""
        select {", ".join(selected)}, _extra, _source_file, _row_number from ({rows})"""
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


def rejected_lines(
    connection: "duckdb.DuckDBPyConnection", reading: Reading, *, careful: bool = True
) -> list[RejectedLine]:
    """Lines of the file last read that are no rows, or no object, in their order.

    After the quick form of the query there can be none that are no object.
    """
    tables = connection.execute("show tables").fetchall()
    found = []
    if ("reject_errors",) in tables:
        rows = connection.execute(
            "select distinct on (line) line, lower(error_type::varchar) || ': ' || error_message, "
            f"left(csv_line, {MAX_LINE_BYTES}) from reject_errors order by line"
        ).fetchall()
        found = [RejectedLine(*row) for row in rows]
    if reading.json_lines and careful:
        # The case keeps json_type away from lines that are no JSON, on which it raises.
        rows = connection.execute(
            f"""select
                _row_number,
                coalesce(
                    'a JSON ' || lower(case when json_valid(line) then json_type(line) end)
                    || ' where an object is expected',
                    'not valid JSON'
                ),
                line
            from ({_numbered_lines_sql(reading)})
            where trim(line) <> '' and not ({_IS_OBJECT})"""
        ).fetchall()
        found += [RejectedLine(*row) for row in rows]
    return sorted(found, key=lambda item: (item.line_number, item.reason))
