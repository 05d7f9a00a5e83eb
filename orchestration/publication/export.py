"""The newest snapshot as one DuckDB file that needs nothing else."""

import os
from pathlib import Path

import duckdb

from orchestration.publication.manifest import Manifest, newest_or_fail, table_file
from orchestration.publication.verify import check_tables


def _is_export(file: Path) -> bool:
    """Whether a file is an earlier export, which a newer one may replace."""
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            connection.execute("select snapshot_id from snapshot")
    except duckdb.Error:
        return False
    return True


def export(published: Path, target: Path, with_contact_data: bool = False) -> Manifest:
    """Write the newest snapshot's tables into one self-contained DuckDB file.

    Args:
        published: the folder of snapshots.
        target: the file to write.
        with_contact_data: private tables, too; then only its owner can read the file.

    Raises:
        FileNotFoundError: nothing has been published yet, or there is no folder for the target.
        FileExistsError: the target is another file than an earlier export, or a published one.
        OSError: the file cannot be written.
        SnapshotError: a file of the snapshot is missing or damaged.
    """
    manifest = newest_or_fail(published)
    check_tables(published, manifest, manifest.open_tables(with_contact_data))
    if not target.resolve().parent.is_dir() or target.is_dir():
        raise FileNotFoundError(f"{target} cannot be written: name a file in a folder that exists")
    if target.resolve().is_relative_to(published.resolve()):
        raise FileExistsError(f"{target} is where snapshots are published: write it elsewhere")
    if target.exists() and not _is_export(target):
        raise FileExistsError(f"{target} is there and no export: name another file, or remove it")
    temporary = target.with_name(target.name + ".new")
    temporary.unlink(missing_ok=True)
    if with_contact_data:
        before = os.umask(0o077)
    try:
        with duckdb.connect(str(temporary)) as connection:
            for name in manifest.open_tables(with_contact_data):
                file = table_file(published, manifest, name)
                connection.execute(f"create table {name} as select * from read_parquet('{file}')")
            connection.execute(
                "create table snapshot as select $1 as snapshot_id, $2::timestamp as as_of",
                [manifest.snapshot_id, manifest.as_of],
            )
    except duckdb.IOException as error:
        temporary.unlink(missing_ok=True)  # what is left of it would keep a full disk full
        raise OSError(f"{target} cannot be written: {str(error).splitlines()[0]}") from None
    finally:
        if with_contact_data:
            os.umask(before)
    temporary.replace(target)
    return manifest
