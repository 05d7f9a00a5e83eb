"""Files that are whole or not there, also after a kill or a power cut: written beside, renamed."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def put(path: Path, content: Any, *, is_forced: bool = True) -> None:
    """Write a value as JSON in the place of what is there.

    Args:
        path: the file; its folder is made.
        content: what JSON can say.
        is_forced: it is on the disk when this returns, not only in the system's memory.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("w", encoding="utf-8") as stream:
        json.dump(content, stream)
        if is_forced:
            stream.flush()
            os.fsync(stream.fileno())
    temporary.replace(path)
    if is_forced:
        force(path.parent)


def put_table(path: Path, rows: "pa.Table") -> None:
    """Write rows as Parquet, forced to the disk."""
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    pq.write_table(rows, temporary)
    force(temporary)
    temporary.replace(path)
    force(path.parent)


def read_table(path: Path) -> "pa.Table":
    """The rows of one file."""
    import pyarrow.parquet as pq

    return pq.read_table(path)


def remove(path: Path) -> None:
    """Remove a file, if it is there."""
    path.unlink(missing_ok=True)


def force(path: Path) -> None:
    """Wait until a file, or the names in a folder, would survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
