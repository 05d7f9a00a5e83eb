"""The manifest of a snapshot: what it holds, and by which sums a reader may check it.

Reading only; `snapshot.py` writes.
"""

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# Of the manifest itself: 2 added keys, private tables and the time, 3 the digest of the content.
SCHEMA_VERSION = 3


class SnapshotError(RuntimeError):
    """A snapshot is missing or damaged; the message says which file, and what to do."""


@dataclass(frozen=True)
class Table:
    """One table of a snapshot: its Parquet file's rows, bytes and SHA-256; the key of its rows.

    Only its owner can read the file of a private one, which holds contact data. `content` is equal
    for equal rows, whatever their order and the names of columns; empty in older manifests.
    """

    rows: int
    size: int
    sha256: str
    key: list[str] = field(default_factory=list)
    is_private: bool = False
    content: str = ""


@dataclass(frozen=True)
class Manifest:
    """What a snapshot says of itself; `published_at` is the time of the clock, UTC."""

    snapshot_id: str
    as_of: str
    schema_version: int
    tables: dict[str, Table]
    stages: dict[str, dict[str, int]] = field(default_factory=dict)
    loads: list[str] = field(default_factory=list)
    published_at: str = ""

    def open_tables(self, with_private: bool = False) -> list[str]:
        """Names of the tables that anybody may see, and of private ones if they are asked for."""
        return [name for name, one in self.tables.items() if with_private or not one.is_private]

    def text(self) -> str:
        """As it is written."""
        return json.dumps(asdict(self), indent=2)


def parse_manifest(text: str) -> Manifest:
    """A manifest as it was written, by this version or an older one.

    Raises:
        ValueError: it is none.
    """
    try:
        raw: dict[str, Any] = json.loads(text)
        raw["tables"] = {name: Table(**table) for name, table in raw["tables"].items()}
        return Manifest(**raw)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"something is missing or unknown: {error}") from None


def snapshot_folder(published: Path, snapshot_id: str) -> Path:
    """Where a snapshot is."""
    return published / "snapshots" / snapshot_id


def manifest_path(published: Path, snapshot_id: str) -> Path:
    """Where the manifest of a snapshot is; it is as old as the snapshot."""
    return snapshot_folder(published, snapshot_id) / "manifest.json"


def snapshot_ids(published: Path) -> list[str]:
    """Complete snapshots, oldest first."""
    return sorted(path.parent.name for path in published.glob("snapshots/[0-9]*/manifest.json"))


def read_manifest(published: Path, snapshot_id: str) -> Manifest:
    """The manifest of one snapshot.

    Raises:
        SnapshotError: there is no such snapshot, or its manifest is damaged.
    """
    path = manifest_path(published, snapshot_id)
    try:
        return parse_manifest(path.read_text())
    except FileNotFoundError:
        there = snapshot_ids(published)
        known = f"{there[0]} to {there[-1]} are there" if there else "none is there yet"
        raise SnapshotError(f"there is no snapshot {snapshot_id}: {known}") from None
    except ValueError as error:
        raise SnapshotError(
            f"{path} is damaged ({error}); move its folder away, and readers that ask for the "
            "newest snapshot find the one before it, or `muster run` publishes the next"
        ) from None


def newest(published: Path) -> Manifest | None:
    """The newest complete snapshot, or nothing yet."""
    ids = snapshot_ids(published)
    return read_manifest(published, ids[-1]) if ids else None


def newest_or_fail(published: Path) -> Manifest:
    """The newest complete snapshot.

    Raises:
        FileNotFoundError: nothing has been published yet.
    """
    manifest = newest(published)
    if manifest is None:
        raise FileNotFoundError(
            f"nothing has been published under {published} yet; run `muster run`"
        )
    return manifest


def published_at(published: Path, snapshot_id: str) -> datetime:
    """When a snapshot came (UTC); of one without that, or damaged, when its file was written."""
    path = manifest_path(published, snapshot_id)
    try:
        return datetime.fromisoformat(parse_manifest(path.read_text()).published_at)
    except ValueError:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def table_file(published: Path, manifest: Manifest, table: str) -> Path:
    """The Parquet file of a table.

    Raises:
        SnapshotError: the snapshot has no such table, or its file is gone.
    """
    if table not in manifest.tables:
        names = ", ".join(manifest.tables)
        raise SnapshotError(f"snapshot {manifest.snapshot_id} has no {table}; it has {names}")
    path = snapshot_folder(published, manifest.snapshot_id) / f"{table}.parquet"
    if not path.is_file():
        raise SnapshotError(
            f"{path} is missing, though the manifest names it; `muster published verify` tells "
            "what else is damaged, and `muster run` publishes the next snapshot"
        )
    return path
