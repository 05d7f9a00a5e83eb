"""Copies of snapshots in an object store, or wherever fsspec writes: `MUSTER_PUBLISH_TO`.

Stores have no rename, so the order is what keeps readers from halves: files, the manifest, and last
`current.json`, which names the newest. Tables with contact data are never copied.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestration.publication.manifest import (
    Manifest,
    newest_or_fail,
    parse_manifest,
    table_file,
)
from orchestration.publication.retention import Retention, expired
from orchestration.publication.verify import check_tables

VARIABLE = "MUSTER_PUBLISH_TO"


class CopyError(RuntimeError):
    """The copy did not succeed; the local snapshot is not touched by that."""


def copy_newest(published: Path, url: str, retention: Retention) -> Manifest:
    """Copy the newest snapshot, and delete copies that may go.

    Args:
        published: the folder of snapshots.
        url: such as `s3://bucket/prefix`; what signs in is the store's own environment.
        retention: which copies stay.

    Returns:
        The manifest of the copy.

    Raises:
        FileNotFoundError: nothing has been published yet.
        CopyError: the store refuses, or cannot be reached.
        SnapshotError: a file of the snapshot is missing or damaged.
    """
    import fsspec

    if "://" not in url and not url.startswith("/"):
        raise CopyError(f"{url!r} is no address such as s3://bucket/prefix, and no absolute path")
    manifest = newest_or_fail(published)
    check_tables(published, manifest, manifest.open_tables())
    try:
        # Both would be kept for the time of a process, while others write and credentials change.
        store, root = fsspec.core.url_to_fs(url, skip_instance_cache=True, use_listings_cache=False)
        copied = _copy(store, root.rstrip("/"), published, manifest)
        _delete_expired(store, root.rstrip("/"), manifest.snapshot_id, retention)
    except _refusals(url) as error:
        why = str(error) or type(error).__name__
        raise CopyError(
            f"snapshot {manifest.snapshot_id} was not copied to {url}: {why}; see docs/published.md"
        ) from error
    return copied


def _refusals(url: str) -> tuple[type[Exception], ...]:
    """What fsspec and the client of a store raise."""
    of_fsspec = OSError, ValueError, ImportError
    if not url.startswith(("s3://", "s3a://")):
        return of_fsspec
    from botocore.exceptions import BotoCoreError, ClientError

    return *of_fsspec, BotoCoreError, ClientError


def _copy(store: Any, root: str, published: Path, manifest: Manifest) -> Manifest:
    from fsspec.implementations.local import LocalFileSystem

    folder = f"{root}/snapshots/{manifest.snapshot_id}"
    # Object stores need no folders, and would make a bucket of a slip of the pen.
    if isinstance(store, LocalFileSystem):
        store.makedirs(folder, exist_ok=True)
    copied = replace(
        manifest,
        tables={name: manifest.tables[name] for name in manifest.open_tables()},
        published_at=manifest.published_at or datetime.now(UTC).isoformat(),
    )
    for name in copied.tables:
        store.put_file(str(table_file(published, manifest, name)), f"{folder}/{name}.parquet")
    store.pipe_file(f"{folder}/manifest.json", copied.text().encode())
    current = {
        "snapshot_id": manifest.snapshot_id,
        "as_of": manifest.as_of,
        "manifest": f"snapshots/{manifest.snapshot_id}/manifest.json",
    }
    store.pipe_file(f"{root}/current.json", json.dumps(current).encode())
    return copied


def _delete_expired(store: Any, root: str, newest_id: str, retention: Retention) -> None:
    """The manifest goes first: what has none is no snapshot, and the next run deletes it."""
    there = sorted(
        name
        for name in (
            path.rsplit("/", 1)[-1] for path in store.ls(f"{root}/snapshots", detail=False)
        )
        if name.isdigit() and name <= newest_id
    )
    complete: list[tuple[str, datetime]] = []
    for name in there:
        path = f"{root}/snapshots/{name}/manifest.json"
        if store.exists(path):
            copied = parse_manifest(store.cat_file(path).decode())
            complete.append((name, datetime.fromisoformat(copied.published_at)))
    known = {name for name, _ in complete}
    gone = set(expired(complete, retention))
    for name in sorted(gone | (set(there) - known)):
        folder = f"{root}/snapshots/{name}"
        if name in gone:
            store.rm_file(f"{folder}/manifest.json")
        store.rm(folder, recursive=True)
