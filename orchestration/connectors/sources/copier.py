"""Writes the rows of one dropped file into Parquet, by DuckDB, which dlt then takes as they are.

Rows that pass through Python on their way, even as Arrow tables, take three times as long. JSON
Lines are copied in slices, so that memory does not grow with the file: a slice is read quickly
first, and carefully only where something in it is odd.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.connectors.ahead import ahead
from orchestration.connectors.definitions import TRY_EACH, FolderDefinition, quoted
from orchestration.connectors.landing import current_load_id
from orchestration.connectors.sources import queries, raw_files, readers

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP_ROWS = 20_480  # what is being written is held in memory by row group
SLICE_LINES = 150_000


class FileFailedError(Exception):
    """A file could not be read to its end although its beginning was good."""

    def __init__(self, path: str, cause: str) -> None:
        super().__init__(f"{path}: {cause}")
        self.path, self.cause = path, cause


@dataclass
class Copied:
    """Parquet files of one entity's rows with their counts, and the lines that were no rows."""

    parts: list[tuple[Path, int]] = field(default_factory=list)
    rejects: list[queries.RejectedLine] = field(default_factory=list)


class FileCopier:
    """Copies files into a scratch folder, with the columns that a load adds."""

    def __init__(self, scratch: Path, landed_at: datetime) -> None:
        self.scratch, self.landed_at = scratch, landed_at
        self.written = 0
        self.connection = queries.open_connection()

    def copy(
        self, path: Path, definition: FolderDefinition, entity: str, source_file: str
    ) -> Copied:
        """Copy the rows of one entity; only inside a table's generator.

        Raises:
            FileFailedError: the file is damaged in its middle.
        """
        import duckdb

        self.scratch.mkdir(parents=True, exist_ok=True)
        reading = readers.open_reading(self.connection, path, definition)
        # The first row of a key is only known where the file is read as one.
        is_sliced = (
            reading.json_lines
            and not reading.is_only_careful
            and not definition.entities[entity].one_row_per_key
        )
        if is_sliced:
            try:
                return self._slices(path, reading, definition, entity, source_file)
            except ValueError:
                pass  # a line that is no UTF-8, or absurdly long: DuckDB's reader sets it aside
        try:
            return self._whole(reading, definition, entity, source_file)
        except (duckdb.Error, OSError) as error:
            raise FileFailedError(source_file, str(error).splitlines()[0]) from error

    def _slices(
        self,
        path: Path,
        reading: readers.Reading,
        definition: FolderDefinition,
        entity: str,
        source_file: str,
    ) -> Copied:
        import duckdb

        found = Copied()
        reading = replace(reading, is_sliced=True)
        for lines in ahead(_sliced(raw_files.line_batches(path)), depth=1):
            with self._registered(lines):
                try:
                    has_extra = queries.has_extra_keys(self.connection, reading, definition)
                    quick = replace(reading, has_extra_keys=has_extra)
                    self._write(found, quick, definition, entity, source_file, careful=False)
                except duckdb.Error:
                    self._write(found, reading, definition, entity, source_file, careful=True)
                    found.rejects += queries.rejected_lines(self.connection, reading)
        return found

    def _whole(
        self,
        reading: readers.Reading,
        definition: FolderDefinition,
        entity: str,
        source_file: str,
    ) -> Copied:
        import duckdb

        found = Copied()
        must_be_careful = reading.json_lines
        if not must_be_careful:
            try:
                self._write(found, reading, definition, entity, source_file, careful=False)
            except duckdb.Error:
                must_be_careful = True
        if must_be_careful:
            self._write(found, reading, definition, entity, source_file, careful=True)
        found.rejects = queries.rejected_lines(self.connection, reading)
        return found

    @contextmanager
    def _registered(self, lines: "pa.Table") -> Iterator[None]:
        self.connection.register(queries.LINES, lines)
        # Lines come with their number, so their order need not be kept in memory.
        self.connection.execute("set preserve_insertion_order = false")
        try:
            yield
        finally:
            self.connection.unregister(queries.LINES)
            self.connection.execute("set preserve_insertion_order = true")

    def _write(  # noqa: PLR0913
        self,
        found: Copied,
        reading: readers.Reading,
        definition: FolderDefinition,
        entity: str,
        source_file: str,
        *,
        careful: bool,
    ) -> None:
        """Write the rows into the next Parquet file."""
        query = queries.entity_sql(reading, definition, entity, source_file, careful=careful)
        stamp = (
            f"{quoted(self.landed_at.isoformat())}::timestamptz as _landed_at, "
            f"{quoted(current_load_id())} as _load_id"
        )
        self.connection.execute(
            "drop table if exists reject_errors; drop table if exists reject_scans"
        )
        self.connection.execute(TRY_EACH if careful else "reset disabled_optimizers")
        target = self.scratch / f"{self.written}.parquet"
        copied = self.connection.execute(
            f"copy (select *, {stamp} from ({query})) to {quoted(str(target))} "
            f"(format parquet, row_group_size {ROW_GROUP_ROWS})"
        ).fetchone()
        self.written += 1
        if copied and copied[0]:
            found.parts.append((target, int(copied[0])))


def _sliced(batches: "Iterator[pa.RecordBatch]") -> "Iterator[pa.Table]":
    """The batches in tables of about `SLICE_LINES` lines."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(one.num_rows for one in waiting) >= SLICE_LINES:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)
