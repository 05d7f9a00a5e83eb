"""What is wrong with a segment's files, told before dbt or DuckDB does: the place and why.

A build holds such a segment and the commands refuse it, both by these words. No table is read. Not
here: what only the data tells, which the models of `marts/membership/` judge.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from orchestration.rendering.dependencies import circle, circle_words
from orchestration.rendering.places import FileError, as_written, place_in_file
from orchestration.rendering.project import Model
from orchestration.rendering.renderer import Rendered, Renderer
from orchestration.rendering.segment_yaml import check_config, check_yaml
from orchestration.resources.dbt_words import FIXTURE
from orchestration.resources.settings import shown

if TYPE_CHECKING:
    import duckdb

# Functions in `from` that make rows of their arguments alone. All others look elsewhere: at files,
# the network, other databases, or the engine itself.
_ROWS_OF_ARGUMENTS = frozenset({"unnest", "range", "generate_series", "json_each", "json_tree"})
_NO_SELECT = "not implemented"  # DuckDB, of what it can run and not take apart, such as pivot
_PLACEHOLDER = re.compile(r"\bfill in: |\bfill_in_who_|\btag: fill_in\b", re.IGNORECASE)


def fault_of(renderer: Renderer, model: Model) -> FileError | None:
    """What is wrong with the YAML and the SQL of a segment; None if nothing is that shows here."""
    import duckdb

    try:
        check_files(renderer, model)
        if not model.is_python:
            rendered = renderer.render(model.name)
            check_config(rendered.config, model.path)
            check_sql(rendered, model.text)
    except FileError as error:
        return error
    except duckdb.Error:
        return None  # a macro that asks the warehouse
    return None


def check_files(renderer: Renderer, model: Model) -> None:
    """Refuse a segment for what is wrong with it whatever its SQL does: a name or a description
    that is there twice, YAML that is not what it should be, refs that lead back to it.

    Raises:
        FileError: with the place.
    """
    twins = [one for one in renderer.project.files if one.name == model.name]
    if len(twins) > 1:
        other = next(one.path for one in twins if one.path != model.path)
        raise FileError(f"{shown(other)} has the same name; rename one", model.path)
    for ending in (".yml", ".yaml"):
        if (beside := model.path.with_suffix(ending)).exists():
            check_yaml(renderer.project, beside)

    def reads(name: str) -> tuple[str, ...]:
        try:
            return renderer.reads(name) if name in renderer.project.models else ()
        except FileError:
            return ()  # it is held for that itself

    if way := circle(reads, model.name):
        raise FileError(circle_words(way), model.path)


def check_sql(rendered: Rendered, text: str) -> None:
    """Refuse what is no SQL, and SQL that reads more than tables.

    Args:
        rendered: the model.
        text: the file that it was rendered from.

    Raises:
        FileError: with the place.
    """
    path, sql = rendered.model.path, "".join(rendered.pieces)

    def place(offset: int) -> tuple[int, int]:
        return place_in_file(rendered.pieces, text, offset)

    connection = _parser()
    row = connection.execute("select json_serialize_sql(?::varchar)", [sql]).fetchone()
    told = json.loads(row[0]) if row else {}
    if told.get("error") and told["error_type"] != _NO_SELECT:
        at = place(int(told.get("position") or 0))
        raise FileError(as_written(told["error_message"], text, *at), path, *at)
    if not told.get("error") and len(told["statements"]) != 1:
        what = "more than one statement: write one" if told["statements"] else "empty: write a"
        raise FileError(f"the file is {what} select that returns profile_id", path)
    read = _named(connection, sql) if told.get("error") else _read(told["statements"], sql)
    for what, offset in read:
        raise FileError(
            f"{what} reads something else than tables; a segment reads models, by ref()",
            path,
            *place(offset),
        )


@cache
def _parser() -> "duckdb.DuckDBPyConnection":
    """Takes SQL apart and never runs it; opening one costs more than that."""
    import duckdb

    return duckdb.connect()


def _read(node: Any, sql: str) -> Iterator[tuple[str, int]]:
    """Functions and files that a parsed statement reads, and where: characters before them."""
    if isinstance(node, list):
        for one in node:
            yield from _read(one, sql)
    if not isinstance(node, dict):
        return
    kind = node.get("type")
    found = ""
    if kind == "TABLE_FUNCTION":
        name = str(node["function"]["function_name"])
        found = "" if name.lower() in _ROWS_OF_ARGUMENTS else f"{name}()"
    elif kind == "BASE_TABLE" and not node["schema_name"]:
        name = str(node["table_name"])
        found = f"'{name}'" if re.search(r"[./\\:*?]", name) else ""
    if found:
        yield found, len(sql.encode()[: node["query_location"]].decode(errors="ignore"))
    for one in node.values():
        yield from _read(one, sql)


def _named(connection: "duckdb.DuckDBPyConnection", sql: str) -> Iterator[tuple[str, int]]:
    """The same by names alone, of a statement that DuckDB does not take apart."""
    rows = connection.execute(
        """select function_name from duckdb_functions() group by function_name
        having bool_and(function_type in ('table', 'table_macro'))"""
    ).fetchall()
    barred = {row[0] for row in rows} - _ROWS_OF_ARGUMENTS
    for call in re.finditer(r"\b(\w+)\s*\(", sql):
        if call[1].lower() in barred:
            yield f"{call[1]}()", call.start()
    for file in re.finditer(r"\b(?:from|join)\s+('[^']*')", sql, re.IGNORECASE):
        yield file[1], file.start(1)


def placed(renderer: Renderer, model: Model, words: str) -> FileError:
    """DuckDB's or dbt's words of a model that failed, as a fault with file and line.

    The line is that which DuckDB quotes, as `LINE 12: where spend > 3 ^`, found in the file.
    """
    import duckdb

    said, _, quoted = words.partition(" LINE ")
    quoted = quoted.partition(": ")[2].rpartition(" ^")[0].strip(" .")
    line = None
    try:
        rendered = renderer.render(model.name)
        offset = 0
        for one in "".join(rendered.pieces).splitlines(keepends=True) if quoted else ():
            if quoted in " ".join(one.split()):
                line = place_in_file(rendered.pieces, model.text, offset)[0]
                break
            offset += len(one)
    except (FileError, duckdb.Error):
        line = None  # it failed already; only the line is lost
    if FIXTURE in said and model.yaml:
        return FileError(said, model.yaml)
    return FileError(said, model.path, line)


def unfinished(model: Model) -> list[FileError]:
    """Where the files still say what `muster segment new` put there: one of each file."""
    found = []
    for path in (model.path, model.path.with_suffix(".yml")):
        # Of a file that is no text another check tells.
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        lines = text.splitlines()
        left = [place for place, text in enumerate(lines, 1) if _PLACEHOLDER.search(text)]
        if left:
            more = f" (and in {len(left) - 1} more lines)" if len(left) > 1 else ""
            words = f"still to be filled in: {lines[left[0] - 1].strip()[:80]}{more}"
            found.append(FileError(words, path, left[0]))
    return found
