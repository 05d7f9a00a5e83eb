"""Writes one numbered snapshot and switches readers to it, both by rename, so never halfway.

What is published is decided by the models in `dbt_project/models/published/`; who is told about
changes belongs to feeds.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from orchestration.publication.builds import BuildRecord

SCHEMA_VERSION = 1
KEEP_SNAPSHOTS = 10


@dataclass(frozen=True)
class Table:
    """One table of a snapshot: its Parquet file, rows, bytes and SHA-256."""

    rows: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a snapshot says of itself."""

    snapshot_id: str
    as_of: str
    schema_version: int
    tables: dict[str, Table]
    stages: dict[str, dict[str, int]] = field(default_factory=dict)
    loads: list[str] = field(default_factory=list)


def snapshot_ids(published: Path) -> list[str]:
    """Complete snapshots, oldest first."""
    return sorted(path.parent.name for path in published.glob("snapshots/[0-9]*/manifest.json"))


def manifest_path(published: Path, snapshot_id: str) -> Path:
    """Where the manifest of a snapshot is; it is as old as the snapshot."""
    return published / "snapshots" / snapshot_id / "manifest.json"


def read_manifest(published: Path, snapshot_id: str) -> Manifest:
    """The manifest of one snapshot."""
    path = manifest_path(published, snapshot_id)
    raw: dict[str, Any] = json.loads(path.read_text())
    raw["tables"] = {name: Table(**table) for name, table in raw["tables"].items()}
    return Manifest(**raw)


def newest(published: Path) -> Manifest | None:
    """The newest complete snapshot, or nothing yet."""
    ids = snapshot_ids(published)
    return read_manifest(published, ids[-1]) if ids else None


def _checksum(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write_tables(warehouse: Path, tables: Sequence[str], folder: Path) -> dict[str, Table]:
    written = {}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for name in tables:
            path = folder / f"{name}.parquet"
            # Ordered by every column, so that equal content makes an equal file.
            rows = connection.execute(
                f"copy (select * from published.{name} order by all) to '{path}' (format parquet)"
            ).fetchall()[0][0]
            written[name] = Table(int(rows), path.stat().st_size, _checksum(path))
    return written


def _switch_readers(published: Path, manifest: Manifest) -> None:
    """Put a new `current.duckdb` of views over the snapshot in the place of the old one."""
    temporary = published / "current.duckdb.new"
    temporary.unlink(missing_ok=True)
    folder = (published / "snapshots" / manifest.snapshot_id).resolve()
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
    tables: Sequence[str],
    build: BuildRecord,
    stages: Mapping[str, Mapping[str, int]],
) -> Manifest:
    """Write the tables of the warehouse's `published` schema as the next snapshot.

    Args:
        warehouse: the DuckDB file, opened read-only.
        published: the folder of snapshots.
        tables: names in the schema `published`.
        build: what the tables were made of.
        stages: row counts on the way here, kept in the manifest for `muster status`.

    Returns:
        The manifest of the new snapshot, which is the newest from then on.
    """
    done = snapshot_ids(published)
    snapshot_id = f"{int(done[-1]) + 1 if done else 1:06d}"
    building = published / "snapshots" / f"building-{snapshot_id}"
    for left_over in published.glob("snapshots/building-*"):
        shutil.rmtree(left_over)
    building.mkdir(parents=True)
    manifest = Manifest(
        snapshot_id,
        build.as_of,
        SCHEMA_VERSION,
        _write_tables(warehouse, tables, building),
        {stage: dict(counts) for stage, counts in stages.items()},
        sorted(build.loads),
    )
    (building / "manifest.json").write_text(json.dumps(asdict(manifest), indent=2))
    building.rename(published / "snapshots" / snapshot_id)
    _switch_readers(published, manifest)
    for old in snapshot_ids(published)[:-KEEP_SNAPSHOTS]:
        shutil.rmtree(published / "snapshots" / old)
    return manifest


def repair_current(published: Path) -> None:
    """Point `current.duckdb` at the newest snapshot, should a kill have come in between."""
    manifest = newest(published)
    if manifest is None:
        return
    current = published / "current.duckdb"
    if current.exists():
        with duckdb.connect(str(current), read_only=True) as connection:
            row = connection.execute("select snapshot_id from snapshot").fetchone()
        if row and row[0] == manifest.snapshot_id:
            return
    _switch_readers(published, manifest)


def export(published: Path, target: Path) -> Manifest:
    """Write the newest snapshot's tables into one self-contained DuckDB file.

    Raises:
        FileNotFoundError: nothing has been published yet, or there is no folder for the target.
    """
    manifest = newest(published)
    if manifest is None:
        raise FileNotFoundError(
            f"nothing has been published under {published} yet; run `muster run`"
        )
    folder = published / "snapshots" / manifest.snapshot_id
    if not target.resolve().parent.is_dir() or target.is_dir():
        raise FileNotFoundError(f"{target} cannot be written: name a file in a folder that exists")
    temporary = target.with_name(target.name + ".new")
    temporary.unlink(missing_ok=True)
    with duckdb.connect(str(temporary)) as connection:
        for name in manifest.tables:
            connection.execute(
                f"create table {name} as select * from read_parquet('{folder / name}.parquet')"
            )
        connection.execute(
            "create table snapshot as select $1 as snapshot_id, $2::timestamp as as_of",
            [manifest.snapshot_id, manifest.as_of],
        )
    temporary.replace(target)
    return manifest
