"""The bytes of a dropped file, before anyone asks what they mean: digest, encoding, lines."""

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

MAX_LINE_BYTES = 2_000_000
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_CHUNK = 1 << 20
_BLOCK = 4 << 20


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


def numbered_lines(path: Path) -> "pa.RecordBatchReader":
    """The lines of a UTF-8 file with their number from 1, as batches of `line`, `_row_number`.

    A line keeps its end. DuckDB reads such batches with all its threads, which it does not do
    where it has to number rows itself.

    Raises:
        ValueError: while reading, at a line that is no UTF-8 or longer than `MAX_LINE_BYTES`.
    """
    import pyarrow as pa

    schema = pa.schema([("line", pa.string()), ("_row_number", pa.int64())])
    return pa.RecordBatchReader.from_batches(schema, _line_batches(path, schema))


def _line_batches(path: Path, schema: "pa.Schema") -> "Iterator[pa.RecordBatch]":
    import numpy as np
    import pyarrow as pa

    before, rest = 0, b""
    with open_file(path) as stream:
        while True:
            block = stream.read(_BLOCK)
            data = rest + block
            ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")) + 1
            if not block and data:
                ends = np.array([len(data)])
            starts = np.concatenate([[0], ends]).astype(np.int32)
            rest = data[starts[-1] :]
            if max(np.diff(starts).max(initial=0), len(rest)) > MAX_LINE_BYTES:
                raise ValueError(f"{path.name}: a line of more than {MAX_LINE_BYTES} bytes")
            if len(ends):
                lines = pa.StringArray.from_buffers(
                    len(ends), pa.py_buffer(starts), pa.py_buffer(data)
                )
                lines.validate(full=True)
                numbers = pa.array(np.arange(before + 1, before + len(ends) + 1))
                before += len(ends)
                yield pa.RecordBatch.from_arrays([lines, numbers], schema=schema)
            if not block:
                return
