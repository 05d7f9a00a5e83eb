"""Writes Arrow batches into landing: append-only Parquet by dlt, one dataset for each source.

What a load holds becomes visible at once, when its row stands in `_dlt_loads`; a load that died
before that left files that no reader counts and that the next load removes. Which file a row came
from is landed in the same load (`_files`), so that a file lands exactly once, whatever dies when.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.connectors.locks import exclusive

if TYPE_CHECKING:
    import dlt
    import pyarrow as pa

OWN = "muster"  # the dataset of what Muster's own commands record
FILES_TABLE = "_files"
REJECTED_TABLE = "_rejected_lines"
COMPACTIONS = "_compactions"
COMPACTED_PREFIX = "compacted-"
SMALL_ROWS = 100_000


@dataclass(frozen=True)
class LandedFile:
    """One file of the inbox as it was landed; `rows` over all its entities, `size` in bytes."""

    path: str
    sha256: str
    size: int
    modified_ns: int
    rows: int
    rejected: int
    message: str


def _quiet_dlt() -> None:
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ.setdefault("RUNTIME__LOG_LEVEL", "ERROR")
    # A row group of a finished batch is written at once, so memory does not grow with the load.
    os.environ.setdefault("DATA_WRITER__BUFFER_MAX_ITEMS", "100000")
    # Tables are read one after the other, so that `_files` can tell what the others found.
    os.environ["EXTRACT__NEXT_ITEM_MODE"] = "fifo"


def committed_loads(landing: Path, source: str) -> set[str]:
    """The ids of the complete loads of one source."""
    import json

    found = set()
    for path in sorted((landing / source / "_dlt_loads").glob("*.jsonl")):
        for line in path.read_text().splitlines():
            found.add(str(json.loads(line)["load_id"]))
    return found


def remove_incomplete(landing: Path, source: str) -> int:
    """Delete Parquet files of loads that never completed; how many there were."""
    committed = committed_loads(landing, source)
    removed = 0
    joined = {(record.table, record.file) for record in compactions(landing, source)}
    for path in (landing / source).glob("*/*.parquet"):
        if path.name.startswith(COMPACTED_PREFIX):
            is_complete = (path.parent.name, path.name) in joined
        else:
            is_complete = _load_of(path) in committed
        if not is_complete:
            path.unlink()
            removed += 1
    return removed


def _load_of(path: Path) -> str:
    """The load that wrote a file, by its name `<load_id>.<file_id>.parquet`."""
    return path.name.rsplit(".", 2)[0]


@dataclass(frozen=True)
class CompactionRecord:
    """A joined file of a table, the files it replaces, and when; file names without folder."""

    table: str
    file: str
    replaces: tuple[str, ...]
    at: str


def compactions(landing: Path, source: str) -> list[CompactionRecord]:
    """All compactions of one source, oldest first."""
    import json

    found = []
    for path in sorted((landing / source / COMPACTIONS).glob("*.json")):
        raw = json.loads(path.read_text())
        found.append(CompactionRecord(raw["table"], raw["file"], tuple(raw["replaces"]), raw["at"]))
    return found


def live_files(landing: Path, source: str, table: str) -> list[str]:
    """The Parquet files that hold a table's rows: of complete loads, each row once, sorted."""
    # Records first: a file joined after they were read does not count, and those it replaces do.
    committed = committed_loads(landing, source)
    records = [record for record in compactions(landing, source) if record.table == table]
    joined = {record.file for record in records}
    replaced = {name for record in records for name in record.replaces}
    paths = sorted((landing / source / table).glob("*.parquet"))
    return [
        str(path)
        for path in paths
        if path.name not in replaced and (path.name in joined or _load_of(path) in committed)
    ]


def stamped(table: "pa.Table", landed_at: datetime) -> "pa.Table":
    """The table with the columns that a load adds; only inside a table's generator."""
    import pyarrow as pa

    landed = pa.repeat(pa.scalar(landed_at, pa.timestamp("us", "UTC")), table.num_rows)
    load = pa.repeat(pa.scalar(current_load_id(), pa.string()), table.num_rows)
    return table.append_column("_landed_at", landed).append_column("_load_id", load)


def land_own(landing: Path, state: Path, table: str, rows: "pa.Table") -> None:
    """Append rows that a command of Muster's wrote: records like any other, in a load of their own.

    Args:
        landing: the landing folder.
        state: dlt's working folder.
        table: the table of the dataset `muster`.
        rows: without the columns that a load adds.
    """

    def stamp() -> "Iterator[pa.Table]":
        yield stamped(rows, datetime.now(UTC))

    land(landing, state, OWN, {table: stamp()})


def own_relation(landing: Path, table: str) -> str:
    """SQL that reads what `land_own` wrote to a table; blank before anything was."""
    files = ", ".join(
        "'" + path.replace("'", "''") + "'" for path in live_files(landing, OWN, table)
    )
    return f"select * from read_parquet([{files}])" if files else ""


def importable(path: Path, rows: int) -> object:
    """A finished Parquet file as something a table's generator may yield instead of Arrow tables.

    A large file is landed as it is. Small ones are read, so that many of them become one file.
    """
    import dlt
    import pyarrow.parquet as pq

    if rows < SMALL_ROWS:
        return pq.read_table(path)
    return dlt.mark.with_file_import(
        str(path), "parquet", rows, hints=pq.read_schema(path).empty_table()
    )


def all_loads(landing: Path) -> set[str]:
    """The complete loads of all sources, as `source/load_id`."""
    return {
        f"{folder.parent.name}/{load_id}"
        for folder in sorted(landing.glob("*/_dlt_loads"))
        for load_id in committed_loads(landing, folder.parent.name)
    }


def landed_files(landing: Path, source: str) -> list[LandedFile]:
    """Every file of the inbox that has been landed from this source, in the order of landing."""
    import duckdb

    good = live_files(landing, source, FILES_TABLE)
    if not good:
        return []
    fields = ", ".join(LandedFile.__dataclass_fields__)
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select {fields} from read_parquet(?) order by _load_id, path", [good]
        ).fetchall()
    return [LandedFile(*row) for row in rows]


def _pipeline(landing: Path, state: Path, source: str) -> "dlt.Pipeline":
    _quiet_dlt()
    import dlt
    from dlt.destinations import filesystem

    return dlt.pipeline(
        f"landing_{source}",
        destination=filesystem(
            bucket_url=landing.resolve().as_uri(),
            layout="{table_name}/{load_id}.{file_id}.{ext}",
        ),
        dataset_name=source,
        pipelines_dir=str(state),
    )


def current_load_id() -> str:
    """The id of the load that is being extracted; only inside a table's generator."""
    import dlt

    return str(dlt.current.load_package_state()["load_id"])


def land(
    landing: Path,
    state: Path,
    source: str,
    tables: "Mapping[str, Iterator[object]]",
) -> str:
    """Append the tables to one source's dataset as one load, and return its load id.

    Args:
        landing: the landing folder.
        state: dlt's working folder; it may be lost at any time.
        source: the dataset.
        tables: for each table an iterator of Arrow tables, or of what `importable` gives; they
            are read in order, so a later one may tell what an earlier one found.
    """
    with loading_lock(state, source):
        return _land(landing, state, source, tables)


def loading_lock(state: Path, source: str) -> AbstractContextManager[None]:
    """Held while one source's dataset is written."""
    return exclusive(state / f"{source}.lock", f"loading {source}")


def _land(landing: Path, state: Path, source: str, tables: "Mapping[str, Iterator[object]]") -> str:
    import dlt

    # A package that a killed process left behind is not resumed: its files are read again.
    shutil.rmtree(state / f"landing_{source}", ignore_errors=True)
    remove_incomplete(landing, source)
    pipeline = _pipeline(landing, state, source)
    resources = [
        dlt.resource(rows, name=name, write_disposition="append") for name, rows in tables.items()
    ]
    info = pipeline.run(resources, loader_file_format="parquet")
    return str(info.loads_ids[-1])


def as_rows(files: list[LandedFile]) -> "list[dict[str, str | int]]":
    """Landed files as plain rows, in the columns of `_files`."""
    return [asdict(item) for item in files]
