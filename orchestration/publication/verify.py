"""Are the files of snapshots still what their manifests say: there, whole and unchanged?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.publication.manifest import (
    Manifest,
    SnapshotError,
    Table,
    manifest_path,
    read_manifest,
    snapshot_folder,
    snapshot_ids,
)
from orchestration.publication.snapshot import checksum


@dataclass(frozen=True)
class Fault:
    """A file that is not what it should be, and why, in words."""

    snapshot_id: str
    file: Path
    words: str


def verify(published: Path, snapshot_id: str | None = None) -> list[Fault]:
    """What is damaged in one snapshot, or in all and in `current.duckdb`; empty if nothing is.

    Raises:
        SnapshotError: there is no such snapshot.
    """
    if snapshot_id is not None:
        if not manifest_path(published, snapshot_id).exists():
            read_manifest(published, snapshot_id)
        return _faults(published, snapshot_id)
    found = [fault for one in snapshot_ids(published) for fault in _faults(published, one)]
    return found + _current(published)


def check_tables(published: Path, manifest: Manifest, names: Sequence[str]) -> None:
    """See that some tables of a snapshot are as they were written, before they are sent on.

    Raises:
        SnapshotError: one is not; the message names the file and why.
    """
    for name in names:
        file = snapshot_folder(published, manifest.snapshot_id) / f"{name}.parquet"
        if name in manifest.tables and (words := _wrong(file, manifest.tables[name])):
            raise SnapshotError(
                f"{file}: {words}. Nothing is sent from a damaged snapshot: publish a new one with "
                "`muster run`"
            )


def _faults(published: Path, snapshot_id: str) -> list[Fault]:
    try:
        manifest = read_manifest(published, snapshot_id)
    except SnapshotError as error:
        return [Fault(snapshot_id, manifest_path(published, snapshot_id), str(error))]
    folder = snapshot_folder(published, snapshot_id)
    found = []
    for name, table in manifest.tables.items():
        file = folder / f"{name}.parquet"
        words = _wrong(file, table)
        if words:
            found.append(Fault(snapshot_id, file, words))
    known = {f"{name}.parquet" for name in manifest.tables} | {"manifest.json"}
    strangers = sorted(path for path in folder.iterdir() if path.name not in known)
    return found + [Fault(snapshot_id, path, "the manifest does not know it") for path in strangers]


def _wrong(file: Path, table: Table) -> str:
    """What is wrong with a file, or nothing."""
    try:
        size, mode = file.stat().st_size, file.stat().st_mode
        if table.is_private and mode & 0o077:
            words = f"others may read it, though it holds contact data: chmod 600 {file}"
        elif size != table.size:
            words = f"it has {size:,} bytes instead of {table.size:,}"
        elif checksum(file) != table.sha256:
            words = "its bytes were changed: its SHA-256 is another"
        else:
            rows = duckdb.sql(f"select count(*) from read_parquet('{file}')").fetchall()[0][0]
            words = "" if rows == table.rows else f"it has {rows:,} rows instead of {table.rows:,}"
    except FileNotFoundError:
        words = "it is missing"
    except PermissionError:
        words = "it cannot be read: only its owner may"
    except duckdb.Error as error:
        words = f"it is no Parquet: {str(error).splitlines()[0]}"
    return words


def _current(published: Path) -> list[Fault]:
    """`current.duckdb` must show the newest one."""
    ids, file = snapshot_ids(published), published / "current.duckdb"
    if not ids:
        return []
    if not file.exists():
        return [Fault(ids[-1], file, "it is missing; the next `muster run` makes it")]
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            shown = connection.execute("select snapshot_id from snapshot").fetchall()[0][0]
    except duckdb.Error as error:
        return [Fault(ids[-1], file, f"it cannot be read: {str(error).splitlines()[0]}")]
    if shown == ids[-1]:
        return []
    words = f"it shows snapshot {shown}, and {ids[-1]} is the newest; `muster run` mends it"
    return [Fault(ids[-1], file, words)]
