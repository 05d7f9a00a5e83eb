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
BLOCK_BYTES = 4 << 20


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


def line_batches(path: Path) -> "Iterator[pa.RecordBatch]":
    """The lines of a UTF-8 file with their number from 1, as batches of `line`, `_row_number`.

    DuckDB reads such batches with all its threads, which it does not do where it has to number
    rows itself.

    Raises:
        ValueError: while reading, at a line that is no UTF-8, holds the byte 1, or is longer than
            `MAX_LINE_BYTES`.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    schema = pa.schema([("line", pa.string()), ("_row_number", pa.int64())])
    before = 0
    with open_file(path) as stream:
        # One column, whose delimiter never occurs in JSON: the reader of CSV finds the lines.
        reader = pa_csv.open_csv(
            stream,
            read_options=pa_csv.ReadOptions(column_names=["line"], block_size=BLOCK_BYTES),
            parse_options=pa_csv.ParseOptions(
                delimiter="\x01", quote_char=False, ignore_empty_lines=False
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types={"line": pa.string()}, strings_can_be_null=False
            ),
        )
        for batch in reader:
            numbers = pa.array(np.arange(before + 1, before + batch.num_rows + 1))
            before += batch.num_rows
            if _longest(batch) > MAX_LINE_BYTES:
                raise ValueError(f"{path.name}: a line of more than {MAX_LINE_BYTES} bytes")
            yield pa.RecordBatch.from_arrays([batch["line"], numbers], schema=schema)


def _longest(batch: "pa.RecordBatch") -> int:
    """The length of the longest line."""
    import pyarrow.compute as pc

    return int(pc.max(pc.binary_length(batch["line"])).as_py() or 0)
