"""Durable files of received lines in the inbox: what `append` returned for survives any crash.

A file is `received-<time>-<random>.jsonl.part` while it is written, which the file drop leaves
alone, and is renamed to `.jsonl` when it is old or large enough. Its writer holds a lock on it, so
that whoever finds a `.part` without a lock knows that its writer died. Which lines, and whether
there is room for them, is decided elsewhere.
"""

import asyncio
import fcntl
import logging
import os
import secrets
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PREFIX = "received-"
PART = ".part"
_CHUNK = 1 << 16
_log = logging.getLogger(__name__)


class SpoolError(OSError):
    """The lines could not be made durable; none of them counts as received."""


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(inbox: Path, folder: str) -> Path:
    """`inbox/<source>/<entity>`, made durable up to the inbox."""
    path = inbox / folder
    path.mkdir(parents=True, exist_ok=True)
    for parent in (path.parent, inbox):
        _sync_folder(parent)
    return path


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether the open file is what stands under the path now."""
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


class _OpenFile:
    """The file that is being written; `size` counts its durable bytes."""

    def __init__(self, folder: Path) -> None:
        self.opened = time.monotonic()
        self.size = 0
        while True:
            moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
            self.path = folder / f"{PREFIX}{moment}-{secrets.token_hex(8)}.jsonl{PART}"
            self.descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
            # A receiver that starts just now may hold the new file to be a dead one's.
            if _locked(self.descriptor) and _is_still(self.path, self.descriptor):
                break
            os.close(self.descriptor)
        _sync_folder(folder)

    def append(self, data: bytes) -> None:
        """Write and sync; when it fails, the file is as long as before."""
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self.descriptor, rest) :]
            os.fdatasync(self.descriptor)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self.descriptor, self.size)
            raise
        self.size += len(data)

    def finish(self) -> None:
        """Give the file its final name, under which the file drop lands it."""
        try:
            _give_final_name(self.path, self.descriptor)
        finally:
            os.close(self.descriptor)


def _give_final_name(path: Path, descriptor: int) -> None:
    """Rename a complete `.part`, or remove it when it is empty; durable."""
    os.fsync(descriptor)
    if os.fstat(descriptor).st_size:
        path.rename(path.with_suffix(""))
    else:
        path.unlink()
    _sync_folder(path.parent)


def _durable_size(descriptor: int) -> int:
    """Bytes up to and with the last newline."""
    end = os.fstat(descriptor).st_size
    while end:
        begin = max(0, end - _CHUNK)
        found = os.pread(descriptor, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def recover(folder: Path) -> int:
    """Finish the `.part` files whose writers died; how many there were.

    A last line without its newline is cut off: an answer of 200 comes after the sync of the whole
    request, so nobody was told that it was received.
    """
    found = 0
    for path in sorted(folder.glob(f"{PREFIX}*.jsonl{PART}")):
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            if not _locked(descriptor) or not _is_still(path, descriptor):
                continue
            size, good = os.fstat(descriptor).st_size, _durable_size(descriptor)
            if size > good:
                os.ftruncate(descriptor, good)
                _log.warning(
                    "%s: cut off %d bytes of a line that was never acknowledged",
                    path.name,
                    size - good,
                )
            _give_final_name(path, descriptor)
            found += 1
        finally:
            os.close(descriptor)
    return found


@dataclass(frozen=True)
class Rotation:
    """When a file is closed: `seconds` after its first line, or from `size` bytes."""

    seconds: float = 10.0
    size: int = 32_000_000


class Spool:
    """Appends to one folder by a thread of its own; all who wait share one sync (group commit)."""

    def __init__(self, folder: Path, rotation: Rotation) -> None:
        self._folder = folder
        self._rotation = rotation
        self._file: _OpenFile | None = None
        self._waiting: list[tuple[bytes, Future[None]]] = []
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"spool {folder}", daemon=True)
        self._thread.start()

    async def append(self, lines: bytes) -> None:
        """Return when the lines, if any, are safe on disk, in the order of the calls.

        Raises:
            SpoolError: they could not be written, or the spool is closed.
        """
        if not lines:
            return
        done: Future[None] = Future()
        with self._wake:
            if self._closing:
                raise SpoolError("the receiver is stopping")
            self._waiting.append((lines, done))
            self._wake.notify()
        await asyncio.wrap_future(done)

    def close(self) -> None:
        """Write what waits, and give the open file its final name."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _seconds_left(self) -> float | None:
        if self._file is None:
            return None
        return max(0.0, self._file.opened + self._rotation.seconds - time.monotonic())

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._waiting or self._closing, self._seconds_left())
                group, self._waiting = self._waiting, []
                closing = self._closing
            self._commit([entry for entry in group if entry[1].set_running_or_notify_cancel()])
            if self._file is not None and (closing or self._is_due(self._file)):
                self._finish()
            if closing:
                return

    def _is_due(self, file: _OpenFile) -> bool:
        return file.size >= self._rotation.size or self._seconds_left() == 0.0

    def _commit(self, group: list[tuple[bytes, "Future[None]"]]) -> None:
        if not group:
            return
        try:
            if self._file is None:
                self._file = _OpenFile(self._folder)
            self._file.append(b"".join(lines for lines, _ in group))
        except Exception as error:  # the thread must live on, and every caller must be told
            _log.error("%s: %s", self._folder, error)
            # What a failed sync left on disk is unknown: nothing more goes into that file.
            self._finish()
            for _, done in group:
                done.set_exception(SpoolError(str(error)))
            return
        for _, done in group:
            done.set_result(None)

    def _finish(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.finish()
            except OSError as error:
                _log.error("%s stays until the next start: %s", file.path.name, error)
