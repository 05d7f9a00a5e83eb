"""Joins the many small Parquet files of frequent loads into few, without readers noticing.

The joined file counts from the moment its record stands in `_compactions/`, and the files it
replaces stop counting at that same moment; they are deleted a day later, when no reader that
listed them before can still be at it. Rows are not changed, and keep their load and row number.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestration.connectors.landing import (
    COMPACTED_PREFIX,
    COMPACTIONS,
    compactions,
    live_files,
    loading_lock,
    remove_incomplete,
)

SMALL_BYTES = 64 << 20  # a file above this is left as it is
JOINED_BYTES = 256 << 20
MIN_FILES = 8  # fewer are not worth the rewriting
GRACE_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Compaction:
    """What was done to one table of one source."""

    source: str
    table: str
    files_before: int
    files_after: int


def _groups(paths: list[Path]) -> list[list[Path]]:
    """Small files in their order, in groups that give one file of bounded size each."""
    groups: list[list[Path]] = [[]]
    size = 0
    for path in paths:
        bytes_of = path.stat().st_size
        if bytes_of > SMALL_BYTES:
            continue
        if size + bytes_of > JOINED_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(path)
        size += bytes_of
    return [group for group in groups if len(group) >= MIN_FILES]


def _join(paths: list[Path], target: Path) -> None:
    """Write the rows of all files into one, in their order."""
    import duckdb

    names = [str(path) for path in paths]
    temporary = target.with_suffix(".tmp")
    with duckdb.connect(config={"memory_limit": "700MB", "threads": 2}) as connection:
        connection.execute("set timezone = 'UTC'")
        quoted = "'" + str(temporary).replace("'", "''") + "'"
        connection.execute(
            f"copy (select * from read_parquet($1, union_by_name = true)) to {quoted} "
            "(format parquet, compression zstd)",
            [names],
        )
        before = connection.execute("select count(*) from read_parquet($1)", [names]).fetchone()
        after = connection.execute(f"select count(*) from read_parquet({quoted})").fetchone()
    if before != after:
        temporary.unlink()
        raise RuntimeError(f"{target.parent}: {before} rows became {after}; nothing was replaced")
    with temporary.open("rb") as stream:
        os.fsync(stream.fileno())
    temporary.rename(target)


def _record(folder: Path, table: str, joined: Path, replaced: list[Path]) -> None:
    """The one step at which the joined file takes the place of the others."""
    folder.mkdir(exist_ok=True)
    temporary = folder / f"{joined.stem}.tmp"
    with temporary.open("w") as stream:
        json.dump(
            {
                "table": table,
                "file": joined.name,
                "replaces": [path.name for path in replaced],
                "at": datetime.now(UTC).isoformat(),
            },
            stream,
        )
        stream.flush()
        os.fsync(stream.fileno())
    temporary.rename(folder / f"{joined.stem}.json")


def _delete_replaced(landing: Path, source: str, grace_seconds: float) -> None:
    for record in compactions(landing, source):
        age = datetime.now(UTC) - datetime.fromisoformat(record.at)
        if age.total_seconds() >= grace_seconds:
            for name in record.replaces:
                (landing / source / record.table / name).unlink(missing_ok=True)


def _join_load_records(folder: Path) -> None:
    """One file for the complete loads; a reader that meets a load twice takes it for one."""
    paths = sorted(folder.glob("*.jsonl"))
    if len(paths) < MIN_FILES:
        return
    lines = [line for path in paths for line in path.read_text().splitlines() if line.strip()]
    temporary = folder / "joined.tmp"
    temporary.write_text("\n".join(dict.fromkeys(lines)) + "\n")
    temporary.replace(paths[-1])
    for path in paths[:-1]:
        path.unlink()


def compact(
    landing: Path,
    state: Path,
    grace_seconds: float = GRACE_SECONDS,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Compaction]:
    """Join the small files of every source's tables, and delete those replaced long ago.

    Args:
        landing: the landing folder.
        state: dlt's working folder, where the locks are; a source that loads is waited for.
        grace_seconds: how long replaced files stay for readers that have listed them.
        tell: told what is done.
    """
    done = []
    for folder in sorted(path for path in landing.glob("*") if (path / "_dlt_loads").is_dir()):
        source = folder.name
        with loading_lock(state, source):
            remove_incomplete(landing, source)
            _delete_replaced(landing, source, grace_seconds)
            _join_load_records(folder / "_dlt_loads")
            for table in sorted(path.name for path in folder.iterdir() if path.is_dir()):
                live = [Path(name) for name in live_files(landing, source, table)]
                after = len(live)
                for number, group in enumerate(_groups(live)):
                    name = f"{COMPACTED_PREFIX}{time.time_ns()}-{number}.parquet"
                    _join(group, folder / table / name)
                    _record(folder / COMPACTIONS, table, folder / table / name, group)
                    after -= len(group) - 1
                if after < len(live):
                    done.append(Compaction(source, table, len(live), after))
                    tell(f"{source}/{table}: {len(live)} files became {after}")
    return done
