"""Whether there is room: bytes received that have not landed yet, and free disk.

Only counts; what is answered when there is none is said by `app`.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from orchestration.connectors.landing import FILES_TABLE, committed_files
from orchestration.connectors.receiver.spool import PART, PREFIX


@dataclass
class Gauge:
    """Counts by `refresh` what is on disk, and by `reserved` what this process adds meanwhile.

    Several workers see each other's bytes at the next refresh, so they may go over the limit by
    what they take in between.
    """

    inbox: Path
    landing: Path
    folders: tuple[str, ...]
    limit_bytes: int
    min_free_bytes: int
    _on_disk: int = 0
    _free: int = 0
    _reserved: int = 0
    _settled: int = 0
    _landed: set[str] = field(default_factory=set)
    _read: set[str] = field(default_factory=set)
    _loads: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def spool_bytes(self) -> int:
        """Bytes that have not landed yet."""
        return self._on_disk + self._reserved

    @property
    def free_bytes(self) -> int:
        """Free disk, less what is about to be written."""
        return self._free - self._reserved

    async def refresh(self) -> None:
        """Count again, in a thread."""
        settled = self._settled
        self._on_disk, self._free = await asyncio.to_thread(self._count)
        # These are on disk, so they are in the count now.
        self._reserved -= settled
        self._settled -= settled

    @asynccontextmanager
    async def reserved(self, size: int) -> AsyncIterator[None]:
        """Count `size` more bytes while they are written, and after that if they were."""
        self._reserved += size
        try:
            yield
        except BaseException:
            self._reserved -= size
            raise
        self._settled += size

    def refusal(self, size: int = 0) -> str | None:
        """Why `size` more bytes cannot be taken now, or None."""
        if self.spool_bytes + size > self.limit_bytes:
            return (
                f"{self.spool_bytes:,} bytes wait to be landed and the limit is "
                f"{self.limit_bytes:,}; send again later"
            )
        if self.free_bytes - size < self.min_free_bytes:
            return f"the disk is nearly full ({self.free_bytes:,} bytes free); send again later"
        return None

    def _count(self) -> tuple[int, int]:
        for source in {folder.split("/")[0] for folder in self.folders}:
            self._read_landed(source)
        files = {
            f"{folder}/{path.name.removesuffix(PART)}": path
            for folder in self.folders
            for path in (self.inbox / folder).glob(f"{PREFIX}*.jsonl*")
        }
        unlanded = sum(_size(path) for name, path in files.items() if name not in self._landed)
        return unlanded, shutil.disk_usage(self.inbox).free

    def _read_landed(self, source: str) -> None:
        """Learn the files of new loads; where there is none, nothing is read."""
        sizes = [path.stat().st_size for path in (self.landing / source / "_dlt_loads").glob("*")]
        if self._loads.get(source) == (len(sizes), sum(sizes)):
            return
        new = set(committed_files(self.landing, source, FILES_TABLE)) - self._read
        if new:
            import duckdb

            with duckdb.connect(config={"threads": 1}) as connection:
                query = "select path from read_parquet(?)"
                self._landed.update(
                    row[0] for row in connection.execute(query, [sorted(new)]).fetchall()
                )
        self._read |= new
        self._loads[source] = (len(sizes), sum(sizes))


def _size(path: Path) -> int:
    """Bytes of a file that may get its final name, or be deleted, at any time."""
    for name in (path, path.with_name(path.name.removesuffix(PART))):
        with suppress(FileNotFoundError):
            return name.stat().st_size
    return 0
