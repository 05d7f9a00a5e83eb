"""Writes Arrow batches into landing: append-only Parquet by dlt, one dataset for each source.

What a load holds becomes visible at once, when its row stands in `_dlt_loads`; a load that died
before that left files that no reader counts and that the next load removes. Which file a row came
from is landed in the same load (`_files`), so that a file lands exactly once, whatever dies when.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dlt
    import pyarrow as pa

FILES_TABLE = "_files"
REJECTED_TABLE = "_rejected_lines"


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
    for path in (landing / source).glob("*/*.parquet"):
        if path.name.rsplit(".", 2)[0] not in committed:
            path.unlink()
            removed += 1
    return removed


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

    committed = committed_loads(landing, source)
    paths = sorted((landing / source / FILES_TABLE).glob("*.parquet"))
    good = [str(path) for path in paths if path.name.rsplit(".", 2)[0] in committed]
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
    tables: "dict[str, Iterator[pa.Table]]",
) -> str:
    """Append the tables to one source's dataset as one load, and return its load id.

    Args:
        landing: the landing folder.
        state: dlt's working folder; it may be lost at any time.
        source: the dataset.
        tables: for each table an iterator of Arrow tables; they are read in order, so a
            later one may tell what an earlier one found.
    """
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
