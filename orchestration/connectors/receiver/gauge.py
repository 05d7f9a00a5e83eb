"""Whether there is room: bytes received that have not landed yet, and free disk.

Files of the spool that landed long ago are removed: landing is the record, and the file drop looks
at every file of the inbox each time. What is answered without room is said by `app`.
"""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from orchestration.connectors.landing import FILES_TABLE, live_files
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
    keep_days: float
    _on_disk: int = 0
    _free: int = 0
    _reserved: int = 0
    _settled: int = 0
    _landed: dict[str, int] = field(default_factory=dict)
    _read: dict[str, set[str]] = field(default_factory=dict)
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
        self._remove_old(files)
        unlanded = sum(_size(path) for name, path in files.items() if name not in self._landed)
        return unlanded, shutil.disk_usage(self.inbox).free

    def _remove_old(self, files: dict[str, Path]) -> None:
        """Remove files that landed as they are, and are older than `keep_days`."""
        oldest = time.time() - self.keep_days * 86_400
        for name, path in files.items():
            with suppress(FileNotFoundError):
                stat = path.stat()
                if self._landed.get(name) == stat.st_size and stat.st_mtime < oldest:
                    path.unlink()

    def _read_landed(self, source: str) -> None:
        """Learn the files of new loads; where there is none, nothing is read."""
        sizes = [path.stat().st_size for path in (self.landing / source / "_dlt_loads").glob("*")]
        if self._loads.get(source) == (len(sizes), sum(sizes)):
            return
        committed = set(live_files(self.landing, source, FILES_TABLE))
        read = self._read.setdefault(source, set())
        if not read <= committed:
            # Landing was taken away, so what it held has not landed any more.
            self._landed.clear()
            self._read.clear()
            self._loads.clear()
            read = self._read.setdefault(source, set())
        new = committed - read
        if new:
            import duckdb

            with duckdb.connect(config={"threads": 1}) as connection:
                query = "select path, size from read_parquet(?)"
                self._landed.update(connection.execute(query, [sorted(new)]).fetchall())
        read |= new
        self._loads[source] = (len(sizes), sum(sizes))


def _size(path: Path) -> int:
    """Bytes of a file that may get its final name, or be deleted, at any time."""
    for name in (path, path.with_name(path.name.removesuffix(PART))):
        with suppress(FileNotFoundError):
            return name.stat().st_size
    return 0
