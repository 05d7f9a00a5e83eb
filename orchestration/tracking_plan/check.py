"""What a file would violate before it is loaded: read as the inbox does, judged as dbt does."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.connectors.contract import entities
from orchestration.connectors.definitions import (
    FolderDefinition,
    load_definitions,
    quoted,
)
from orchestration.connectors.sources import queries, raw_files, readers
from orchestration.tracking_plan.judgement import reasons_sql
from orchestration.tracking_plan.plan import ENTITY, JSON_COLUMN, Plan, RawPlan

if TYPE_CHECKING:
    import duckdb

_PART = "[^@\\s'\"<>,;:=/?&%]+"
_EMAIL = rf"{_PART}(@|%40){_PART}\.[A-Za-z]{{2,}}"  # in addresses of pages the @ is written %40
_SAMPLE_LENGTH = 60


class CheckError(ValueError):
    """The file cannot be checked; the message says why and what to do."""


@dataclass(frozen=True)
class Violation:
    """Rows of one event name with one reason; `first_row` counts from 1 as `_row_number` does."""

    name: str
    reason: str
    rows: int
    first_row: int
    sample: str


@dataclass(frozen=True)
class Leak:
    """Rows in which a property that is not marked `pii` holds an e-mail address."""

    name: str
    property: str
    rows: int
    first_row: int


@dataclass
class FileCheck:
    """What one file holds. `bad_lines` are no rows at all."""

    rows: int = 0
    violations: list[Violation] = field(default_factory=list)
    leaks: list[Leak] = field(default_factory=list)
    bad_lines: list[queries.RejectedLine] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def _definition(folder: str) -> FolderDefinition:
    known = {
        name: definition
        for name, definition in load_definitions().items()
        if ENTITY in definition.entities
    }
    if folder not in known:
        raise CheckError(
            f"inbox/{folder} yields no web.events, and the plan is of them; name one of "
            f"{', '.join(sorted(known))} with --folder, or describe it in sources.yml"
        )
    return known[folder]


def events_sql(
    connection: "duckdb.DuckDBPyConnection", path: Path, folder: str
) -> tuple[str, readers.Reading]:
    """The query for a file's landing rows of web.events, and how the file is read.

    Raises:
        CheckError: the file cannot be read, or the folder holds no events.
    """
    definition = _definition(folder)
    if not path.is_file():
        raise CheckError(f"{path}: there is no such file")
    if not readers.is_readable(path):
        raise CheckError(f"{path}: not a format that is read: {readers.FORMATS_READ}")
    try:
        raw_files.fingerprint(path)
        if raw_files.is_empty(path):
            raise CheckError(f"{path}: the file is empty")
        reading = readers.open_reading(connection, path, definition)
        queries.check_queries(connection, reading, definition)
    except raw_files.UnreadableFileError as error:
        raise CheckError(str(error)) from None
    return queries.entity_sql(reading, definition, ENTITY, path.name), reading


def _sample(reason: str, record: str) -> str:
    """The value that a reason speaks of, or whose value is missing, from the first such record."""
    values = json.loads(record)
    if reason == "name is not in the tracking plan":
        return _cut(values["name"])
    if reason == "event_id is missing":
        return ""
    if reason.endswith("is missing"):
        return _cut(f"event_id {values['event_id']}")
    subject = reason.removeprefix("property ").split(maxsplit=1)[0]
    column, _, key = subject.partition(".")
    value = values.get(column)
    return _cut(json.loads(value).get(key) if key and value else value)


def _cut(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SAMPLE_LENGTH else text[: _SAMPLE_LENGTH - 1] + "…"


def _violations(
    connection: "duckdb.DuckDBPyConnection", events: str, raw: RawPlan
) -> list[Violation]:
    rows = connection.execute(
        f"""with judged as (
            select *, {reasons_sql(raw)} as reasons, cast(to_json(landed) as varchar) as record
            from ({events}) as landed
        ),
        each as (
            select lower(nullif(trim(name), '')) as name, _row_number, record,
                unnest(string_split(reasons, '; ')) as reason
            from judged where reasons is not null
        )
        select coalesce(name, '(none)'), reason, count(*), min(_row_number),
            arg_min(record, _row_number)
        from each group by all order by 3 desc, 1, 2"""
    ).fetchall()
    return [Violation(row[0], row[1], row[2], row[3], _sample(row[1], row[4])) for row in rows]


def _leaks(connection: "duckdb.DuckDBPyConnection", events: str, plan: Plan) -> list[Leak]:
    """Where e-mail addresses stand in columns, and in keys of the JSON, that the plan calls free
    of personal data.
    """
    marked = plan.personal()
    columns = [
        name
        for name in entities()[ENTITY].columns
        if name not in marked and name not in ("event_id", JSON_COLUMN)
    ]
    pattern = quoted(_EMAIL)
    keys = "[" + ", ".join(quoted(name) for name in sorted(marked)) + "]::varchar[]"
    everything = ", ".join(readers.identifier(name) for name in (*columns, JSON_COLUMN))
    pairs = ", ".join(
        f"case when regexp_matches({readers.identifier(name)}, {pattern}) then {quoted(name)} end"
        for name in columns
    )
    inside = f"""list_filter(
        list_transform(
            case when json_valid({JSON_COLUMN}) and regexp_matches({JSON_COLUMN}, {pattern})
                then json_keys({JSON_COLUMN}) end,
            k -> case when regexp_matches(
                json_extract_string({JSON_COLUMN}, '$."' || replace(k, '"', '') || '"'),
                {pattern}
            ) then '{JSON_COLUMN}.' || k end
        ),
        k -> k is not null
    )"""
    rows = connection.execute(
        f"""with found as (
            select lower(nullif(trim(name), '')) as name, _row_number,
                unnest(list_concat([{pairs}], coalesce({inside}, []))) as property
            from (select *, concat_ws(' ', {everything}) as everything from ({events}))
            -- Before the patterns, which cost ten times as much.
            where contains(everything, '@') or contains(everything, '%40')
        )
        select coalesce(name, '(none)'), property, count(*), min(_row_number) from found
        where property is not null and not list_contains({keys}, property)
        group by all order by 3 desc, 1, 2"""
    ).fetchall()
    return [Leak(*row) for row in rows]


def check_file(path: Path, folder: str, plan: Plan, raw: RawPlan) -> FileCheck:
    """Judge a file by the plan, without loading it.

    Args:
        path: CSV, JSON Lines or Parquet, gzipped or not.
        folder: the folder of the inbox it would be dropped into, whose mapping is used.
        plan: the plan, validated.
        raw: the plan, as parsed.

    Raises:
        CheckError: the file cannot be read, or the folder holds no events.
    """
    import duckdb

    with queries.open_connection() as connection:
        events, reading = events_sql(connection, path, folder)
        try:
            violations = _violations(connection, events, raw)
            # At once: what the reader set aside is known of the last reading only.
            bad_lines = queries.rejected_lines(connection, reading)
            leaks = _leaks(connection, events, plan)
            counted = connection.execute(f"select count(*) from ({events})").fetchone()
        except duckdb.Error as error:
            raise CheckError(f"{path}: {str(error).splitlines()[0]}") from None
    rows = counted[0] if counted else 0
    return FileCheck(rows, violations, leaks, bad_lines, list(reading.notes))
