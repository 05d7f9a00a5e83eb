"""Where the file destination writes: a folder of this machine, or an object store by fsspec."""

import errno
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from orchestration.connectors.destinations.base import DeliveryError
from orchestration.connectors.durable import force
from orchestration.connectors.secrets import scrubbed

_OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oci", "oss"}

Writer = Callable[[Path], None]


class Place(Protocol):
    """One feed's files; names are relative, with slashes."""

    name: str

    def put(self, name: str, scratch: Path, write: Writer) -> None:
        """Make a file appear whole; `write` fills one that nobody sees yet."""

    def read(self, name: str, scratch: Path) -> Path | None:
        """A file that is there, as one of this machine; None if there is none."""

    def touch(self, name: str) -> None:
        """Make an empty file appear."""

    def remove(self) -> None:
        """Remove every file; there may be none."""

    def exceptions(self) -> tuple[type[Exception], ...]:
        """What it raises beside OSError."""


class Folder:
    """A folder; files appear by rename, after they are safe on the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.name = str(folder)

    def put(self, name: str, scratch: Path, write: Writer) -> None:
        """Write beside the file's own name first: a rename works within one file system only."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden = path.with_name(f".{path.name}.new")
        try:
            write(hidden)
            force(hidden)
            hidden.rename(path)
        except BaseException:
            hidden.unlink(missing_ok=True)  # what is left of it would keep a full disk full
            raise
        force(path.parent)

    def read(self, name: str, scratch: Path) -> Path | None:
        """The file itself."""
        path = self._folder / name
        return path if path.exists() else None

    def touch(self, name: str) -> None:
        """Make an empty file appear."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        force(path.parent)

    def remove(self) -> None:
        """Remove the folder."""
        if self._folder.exists():
            shutil.rmtree(self._folder)

    def exceptions(self) -> tuple[type[Exception], ...]:
        """Nothing else."""
        return ()


class Store:
    """An object store; an object appears when all of it was sent.

    Raises:
        DeliveryError: fsspec has no file system for the address, or it does not take the options.
    """

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        from fsspec.core import url_to_fs

        self.name = scrubbed(url)
        try:
            self._system, self._root = url_to_fs(url, use_listings_cache=False, **options)
        except (ImportError, ValueError, TypeError) as error:
            raise DeliveryError(
                f"{self.name}: {scrubbed(str(error).splitlines()[0])}; check folder and options",
                is_temporary=False,
            ) from None

    def put(self, name: str, scratch: Path, write: Writer) -> None:
        """Write to this machine first, so that an object's size is known and it is sent once."""
        path = scratch / Path(name).name
        write(path)
        if not _OBJECT_STORES.intersection(self._protocols()):
            # Not where folders are but names: a bucket would be made of a misspelt one.
            self._system.makedirs(self._parent(name), exist_ok=True)
        self._system.put_file(str(path), f"{self._root}/{name}")
        path.unlink()

    def _protocols(self) -> tuple[str, ...]:
        found = self._system.protocol
        return (found,) if isinstance(found, str) else tuple(found)

    def _parent(self, name: str) -> str:
        return f"{self._root}/{name}".rpartition("/")[0]

    def read(self, name: str, scratch: Path) -> Path | None:
        """A copy of the object."""
        if not self._system.exists(f"{self._root}/{name}"):
            return None
        path = scratch / f"there-{Path(name).name}"
        self._system.get_file(f"{self._root}/{name}", str(path))
        return path

    def touch(self, name: str) -> None:
        """Make an empty object appear."""
        self._system.pipe_file(f"{self._root}/{name}", b"")

    def remove(self) -> None:
        """Remove everything below the address."""
        if self._system.exists(self._root):
            self._system.rm(self._root, recursive=True)

    def exceptions(self) -> tuple[type[Exception], ...]:
        """TypeError for an option that is none, and those of the client of S3."""
        if "s3" not in self._protocols():
            return (TypeError,)
        from botocore.exceptions import BotoCoreError, ClientError

        return (TypeError, BotoCoreError, ClientError)


_CURES = (
    (errno.ENOSPC, "the disk is full", True),
    (errno.EDQUOT, "the quota of this user is used up", True),
    (errno.EACCES, "this user may not write it; grant it or set another folder", False),
    (errno.EPERM, "this user may not write it; grant it or set another folder", False),
    (errno.EROFS, "the file system is read-only; set another folder", False),
    (errno.ENOENT, "there is no such place; create the bucket or folder", False),
    (errno.ENOTDIR, "a part of it is a file; set another folder", False),
    (errno.EEXIST, "a part of it is a file; set another folder", False),
)
# DuckDB and botocore tell in words only.
_WORDS = (
    ("no space left", errno.ENOSPC),
    ("permission denied", errno.EACCES),
    ("operation not permitted", errno.EPERM),
    ("read-only file system", errno.EROFS),
    ("not a directory", errno.ENOTDIR),
)
_REFUSED = ("credential", "access denied", "accessdenied", "forbidden", "signature", "accesskeyid")


def plainly(error: Exception, place: str) -> DeliveryError:
    """The error to raise for what a write raised."""
    said = scrubbed(str(error).splitlines()[0] if str(error) else type(error).__name__)
    if isinstance(error, TypeError):
        return DeliveryError(f"{place}: {said}; check options", is_temporary=False)
    number = error.errno if isinstance(error, OSError) else None
    if "://" in place and any(word in said.lower() for word in _REFUSED):
        return DeliveryError(
            f"{place}: the store refuses the credential or lets it not write; check options, the "
            "environment and the bucket's policy",
            is_temporary=False,
        )
    if number is None and isinstance(error, FileNotFoundError):
        number = errno.ENOENT
    number = next((found for word, found in _WORDS if word in said.lower()), number)
    for known, words, is_temporary in _CURES:
        if number == known:
            return DeliveryError(f"{place} cannot be written: {words}", is_temporary=is_temporary)
    return DeliveryError(f"{place} cannot be written: {said[:200]}", is_temporary=True)
