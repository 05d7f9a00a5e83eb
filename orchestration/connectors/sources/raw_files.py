"""The bytes of a dropped file, before anyone asks what they mean: digest, encoding, first line."""

import gzip
import hashlib
from pathlib import Path
from typing import IO

MAX_LINE_BYTES = 2_000_000
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_CHUNK = 1 << 20


class UnreadableFileError(ValueError):
    """The whole file cannot be trusted; nothing of it is landed, and it is tried again later."""


def fingerprint(path: Path) -> str:
    """The SHA-256 of the file's bytes, as hexadecimal text.

    Raises:
        UnreadableFileError: a `.gz` file is cut off or damaged (DuckDB would read it silently as
            far as it goes).
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    if path.suffix.lower() == ".gz" and path.stat().st_size:
        try:
            with open_file(path) as stream:
                while stream.read(_CHUNK):
                    pass
        except (EOFError, OSError, ValueError) as error:
            raise UnreadableFileError(
                f"{path.name}: the gzip data is cut off or damaged ({error}); "
                "copy the file again, nothing of it was loaded"
            ) from error
    return digest.hexdigest()


def open_file(path: Path) -> IO[bytes]:
    """The file's content, unpacked if it is a `.gz`."""
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rb")  # type: ignore[return-value]  # it reads like a file
    return path.open("rb")


def is_empty(path: Path) -> bool:
    """Whether the file holds nothing, also when it is the gzip of nothing."""
    with open_file(path) as stream:
        return not stream.read(1)


def encoding_of(path: Path, expected: str) -> str:
    """UTF-16 if the file begins with its mark, else `expected`."""
    with open_file(path) as stream:
        return "utf-16" if stream.read(2) in _BYTE_ORDER_MARKS else expected


def first_line(path: Path, encoding: str) -> str:
    """The first line without surrounding blanks; of an absurdly long one the beginning."""
    with open_file(path) as stream:
        raw = stream.read(MAX_LINE_BYTES).split(b"\n\0" if encoding == "utf-16" else b"\n")[0]
    return raw.decode(encoding, "replace").lstrip("\ufeff").strip()
