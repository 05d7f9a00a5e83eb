"""Turns a batch of source rows into landing rows by a mapping's SQL expressions.

Shared by all pulled sources; files of the inbox are mapped inside their reader's own query.
"""

import re
from typing import TYPE_CHECKING

from orchestration.connectors.contract import entities
from orchestration.connectors.definitions import TRY_EACH, Mapping, quoted, tried
from orchestration.connectors.extra import JSON_FIELD, extra_sql
from orchestration.connectors.sources.base import SourceError

if TYPE_CHECKING:
    import pyarrow as pa

_PLACE = {"_source_file", "_row_number"}


def needed_columns(mapping: Mapping, expressions: list[str] | None = None) -> set[str]:
    """Source columns that the mapping's expressions (or only these) name, in double quotes."""
    if expressions is None:
        expressions = [*mapping.columns.values(), mapping.deleted]
    without_text = [re.sub(r"'[^']*'", "", sql) for sql in expressions]
    return {name for sql in without_text for name in re.findall(r'"([^"]+)"', sql)}


def parsed_once(expressions: list[str]) -> tuple[list[str], str]:
    """The expressions with each `"column"->>'$.path'` looked up in a list, and those lists' SQL.

    DuckDB parses the JSON anew for every `->>`: with the 26 fields of an event six times the work.
    """
    paths: dict[str, dict[str, int]] = {}

    def lookup(found: re.Match[str]) -> str:
        of_column = paths.setdefault(found[1], {})
        return f'"_json_{found[1]}"[{of_column.setdefault(found[2], len(of_column) + 1)}]'

    rewritten = [JSON_FIELD.sub(lookup, sql) for sql in expressions]
    lists = [
        f'try(json_extract_string("{column}", [{", ".join(map(quoted, of_column))}]))'
        f' as "_json_{column}"'
        for column, of_column in paths.items()
    ]
    return rewritten, "".join(f", {sql}" for sql in lists)


class Mapper:
    """Maps the batches of one part; counts its rows, so that each has a place to point at.

    `failing` are expressions that failed on a row, by their column: null lands there.
    """

    def __init__(self, entity: str, mapping: Mapping, origin: str) -> None:
        import duckdb

        self.entity = entities()[entity]
        self.mapping = mapping
        self.origin = origin
        self.rows = 0
        self.failing: dict[str, str] = {}
        self.connection: duckdb.DuckDBPyConnection = duckdb.connect(config={"threads": 1})
        self.connection.execute("set timezone = 'UTC'")
        self.connection.execute(TRY_EACH)

    def __call__(self, batch: "pa.Table") -> "pa.Table":
        """The batch as landing rows, all text, without the columns a load adds.

        Raises:
            SourceError: the batch lacks a column that the mapping names, or an expression names
                what is not there.
        """
        import duckdb

        gone = sorted(needed_columns(self.mapping) - set(batch.column_names))
        if gone:
            raise SourceError(
                f"{self.origin}: column {', '.join(gone)} is gone; there are "
                f"{', '.join(batch.column_names)}. Change the mapping of {self.entity.name} in "
                "sources.yml; other parts go on"
            )
        written = {name: self.mapping.columns.get(name, "null") for name in self.entity.columns}
        written["deleted"] = self.mapping.deleted or "false"
        kept = [name for name in batch.column_names if name not in _PLACE]
        written["_extra"] = extra_sql(kept, self.mapping)
        rewritten, parsed = parsed_once(list(written.values()))
        expressions = dict(zip(written, rewritten, strict=True))
        source = f"(select *{parsed} from batch)"
        try:
            result = self._selected(batch, expressions, source)
        except duckdb.Error:
            # What fails is looked for once; from then on it is tried from the beginning.
            for name, sql in expressions.items():
                if name not in self.failing and not self._is_sound(batch, sql, source):
                    self.failing[name] = written[name]
            try:
                result = self._selected(batch, expressions, source)
            except duckdb.Error as error:
                cause = str(error).splitlines()[0]
                raise SourceError(
                    f"{self.origin}: the mapping of {self.entity.name} cannot be calculated; "
                    f"change it in sources.yml: {cause}"
                ) from None
        self.rows += result.num_rows
        return result

    def check(self, names: list[str]) -> None:
        """Raise what a batch of these columns would raise, whatever its rows hold."""
        import pyarrow as pa

        self(pa.table({name: pa.array([], pa.string()) for name in names}))

    def _is_sound(self, batch: "pa.Table", sql: str, source: str) -> bool:  # by name
        import duckdb

        try:
            self.connection.execute(f"select max(cast(({sql}) as varchar)) from {source}")
        except duckdb.Error:
            return False
        return True

    def _selected(self, batch: "pa.Table", expressions: dict[str, str], source: str) -> "pa.Table":
        sql = {
            name: tried(written) if name in self.failing else f"({written})"
            for name, written in expressions.items()
        }
        selected = [f'cast({sql[name]} as varchar) as "{name}"' for name in self.entity.columns]
        place = f"$origin as _source_file, {self.rows} + row_number() over () as _row_number"
        if set(batch.column_names) >= _PLACE:
            place = 'coalesce("_source_file", $origin) as _source_file, "_row_number"'
        result: pa.Table = self.connection.execute(
            f"""select {", ".join(selected)}, {sql["_extra"]} as _extra, {place},
                coalesce({sql["deleted"]}, false) as _deleted
            from {source}""",
            {"origin": self.origin},
        ).to_arrow_table()
        return result

    @property
    def notes(self) -> list[str]:
        """What the user should know of expressions that failed."""
        return [
            f"{name} could not be calculated for some rows and is null there; what it was made of "
            f"stays in _extra: {sql}"
            for name, sql in self.failing.items()
        ]

    def tombstones(self, keys: "pa.Table") -> "pa.Table":
        """Landing rows that say of each key that its source deleted it."""
        selected = [
            f'"{name}"' if name in self.entity.key else f'cast(null as varchar) as "{name}"'
            for name in self.entity.columns
        ]
        result: pa.Table = self.connection.execute(
            f"""select {", ".join(selected)}, cast(null as varchar) as _extra,
                $origin as _source_file, {self.rows} + row_number() over () as _row_number,
                true as _deleted
            from keys""",
            {"origin": self.origin},
        ).to_arrow_table()
        self.rows += result.num_rows
        return result
