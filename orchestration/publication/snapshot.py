"""Writes one numbered snapshot and switches readers to it, both by rename, so never halfway.

What is published is decided by the models in `dbt_project/models/published/`; who is told about
changes belongs to feeds. What readers need to know is in docs/published.md.
"""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from orchestration.publication.builds import BuildRecord
from orchestration.publication.contract import Contract
from orchestration.publication.manifest import (
    SCHEMA_VERSION,
    Manifest,
    SnapshotError,
    Table,
    manifest_path,
    newest,
    published_at,
    read_manifest,
    snapshot_folder,
    snapshot_ids,
)
from orchestration.publication.retention import Retention, expired

# Also what those need who only read.
__all__ = [
    "KEEP_SNAPSHOTS",
    "Manifest",
    "Table",
    "checksum",
    "delete_expired",
    "manifest_path",
    "newest",
    "publish",
    "read_manifest",
    "repair_current",
    "snapshot_ids",
]

KEEP_SNAPSHOTS = Retention().count
_OWNER_ONLY = 0o600
_WRITERS = 2


def checksum(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _content(connection: duckdb.DuckDBPyConnection, relation: str) -> str:
    """The digest of a table's rows in any order: the sum of the hashes of its rows.

    Sorting the rows instead, for equal content to make an equal file, costs more than writing them.
    Equal by chance are two tables in 2^64. The hash is DuckDB's, so another version of it may give
    another digest.
    """
    query = f"select coalesce(sum(hash(one)), 0) from {relation} as one"
    return f"{int(connection.execute(query).fetchall()[0][0]):x}"


def _write_tables(warehouse: Path, tables: Sequence[Contract], folder: Path) -> dict[str, Table]:
    """Two at a time: while one is summed, the other is written."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:

        def write(table: Contract) -> Table:
            path = folder / f"{table.name}.parquet"
            with connection.cursor() as cursor:
                done = cursor.execute(
                    f"copy published.{table.name} to '{path}' (format parquet)"
                ).fetchall()
                content = _content(cursor, f"published.{table.name}")
            if table.is_private:
                path.chmod(_OWNER_ONLY)
            return Table(
                int(done[0][0]),
                path.stat().st_size,
                checksum(path),
                list(table.key),
                table.is_private,
                content,
            )

        with ThreadPoolExecutor(_WRITERS) as writers:
            written = writers.map(write, tables)
            return {table.name: one for table, one in zip(tables, written, strict=True)}


def _switch_readers(published: Path, manifest: Manifest) -> None:
    """Put a new `current.duckdb` of views over the snapshot in the place of the old one."""
    temporary = published / "current.duckdb.new"
    temporary.unlink(missing_ok=True)
    folder = snapshot_folder(published, manifest.snapshot_id).resolve()
    with duckdb.connect(str(temporary)) as connection:
        for name in manifest.tables:
            connection.execute(
                f"create view {name} as select * from read_parquet('{folder / name}.parquet')"
            )
        connection.execute(
            f"create view snapshot as select '{manifest.snapshot_id}' as snapshot_id, "
            f"'{manifest.as_of}'::timestamp as as_of"
        )
        connection.execute("checkpoint")
    temporary.replace(published / "current.duckdb")


def publish(
    warehouse: Path,
    published: Path,
    tables: Sequence[str | Contract],
    build: BuildRecord,
    stages: Mapping[str, Mapping[str, int]],
) -> Manifest:
    """Write the tables of the warehouse's `published` schema as the next snapshot.

    Args:
        warehouse: the DuckDB file, opened read-only.
        published: the folder of snapshots.
        tables: those of the schema `published`; of one that is only named no key is known.
        build: what the tables were made of.
        stages: row counts on the way here, kept in the manifest for `muster status`.

    Returns:
        The manifest of the new snapshot, which is the newest from then on.
    """
    wanted = [Contract(one, one) if isinstance(one, str) else one for one in tables]
    done = snapshot_ids(published)
    snapshot_id = f"{int(done[-1]) + 1 if done else 1:06d}"
    building = published / "snapshots" / f"building-{snapshot_id}"
    for left_over in [*published.glob("snapshots/building-*"), *_deleted(published)]:
        shutil.rmtree(left_over)
    building.mkdir(parents=True)
    usual = building.stat().st_mode & 0o777
    building.chmod(0o700)  # until the files in it have their own permissions
    written = _write_tables(warehouse, wanted, building)
    building.chmod(usual)
    manifest = Manifest(
        snapshot_id,
        build.as_of,
        SCHEMA_VERSION,
        written,
        {stage: dict(counts) for stage, counts in stages.items()},
        sorted(build.loads),
        datetime.now(UTC).isoformat(),
    )
    (building / "manifest.json").write_text(manifest.text())
    building.rename(snapshot_folder(published, snapshot_id))
    _switch_readers(published, manifest)
    return manifest


def _deleted(published: Path) -> list[Path]:
    return list(published.glob("snapshots/deleted-*"))


def delete_expired(published: Path, retention: Retention) -> list[str]:
    """Delete what the retention lets go; returns the ids. The newest always stays.

    `current.duckdb` must show the newest one: call it after `publish` or `repair_current`.
    """
    there = [(one, published_at(published, one)) for one in snapshot_ids(published)]
    gone = expired(there, retention)
    for snapshot_id in gone:
        folder = snapshot_folder(published, snapshot_id)
        # As a whole: none that is half deleted is ever taken for one.
        folder.rename(folder.with_name(f"deleted-{snapshot_id}"))
    for folder in _deleted(published):
        shutil.rmtree(folder)
    return gone


def repair_current(published: Path) -> None:
    """Point `current.duckdb` at the newest snapshot, should a kill have come in between.

    Raises:
        SnapshotError: a file of that snapshot is missing or damaged.
    """
    manifest = newest(published)
    if manifest is None:
        return
    current = published / "current.duckdb"
    if current.exists():
        with duckdb.connect(str(current), read_only=True) as connection:
            row = connection.execute("select snapshot_id from snapshot").fetchone()
        if row and row[0] == manifest.snapshot_id:
            return
    try:
        _switch_readers(published, manifest)
    except duckdb.Error as error:
        raise SnapshotError(
            f"snapshot {manifest.snapshot_id} cannot be shown: {str(error).splitlines()[0]}; see "
            "`muster published verify`, and publish a new one with `muster run`"
        ) from None
