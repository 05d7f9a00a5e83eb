"""Files: a folder for each emission, with its parts and at last a `_SUCCESS`.

Each part appears whole, by rename in a folder and as one object in a store, so nobody reads half of
one, and a batch that is delivered twice writes the same file again. Where files lie is in
`file_places.py`.
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from orchestration.connectors.destinations.base import Batch, Destination, RowError
from orchestration.connectors.destinations.file_places import (
    Folder,
    Place,
    Store,
    Writer,
    plainly,
)
from orchestration.connectors.secrets import resolved

Form = Literal["jsonl", "parquet", "csv"]
_OPTIONS = {"jsonl": "format json", "parquet": "format parquet", "csv": "format csv, header"}
SUCCESS = "_SUCCESS"


class FilesDestination(Destination):
    """Files under `folder` in each of the formats; a folder's own place is below MUSTER_HOME.

    `folder` may be an address of fsspec, such as `s3://bucket/feeds`; `options` then go to the file
    system (`key`, `secret`, `endpoint_url` of s3fs).
    """

    type: Literal["files"] = "files"
    folder: str = "feeds"
    formats: tuple[Form, ...] = ("jsonl", "parquet")
    options: dict[str, Any] = Field(default_factory=dict)
    batch_rows: int = 1_000_000

    def place(self, feed: str) -> str:
        """The folder."""
        return f"{self.folder.rstrip('/')}/{feed}"

    def open(self, feed: str, columns: Sequence[str], key: Sequence[str]) -> "FilesSession":
        """Needs no more than a place that can be written."""
        where = f"destination of {feed}"
        folder = resolved(self.folder, where)
        if "://" in folder:
            options = _resolved(self.options, where)
            return FilesSession(Store(f"{folder.rstrip('/')}/{feed}", options), self.formats)
        home = Path(os.environ.get("MUSTER_HOME") or "var")
        return FilesSession(Folder(home / folder / feed), self.formats)


def _resolved(value: Any, where: str) -> Any:
    """Options with their secrets, at any depth."""
    if isinstance(value, dict):
        return {name: _resolved(one, where) for name, one in value.items()}
    return resolved(value, where) if isinstance(value, str) else value


class FilesSession:
    """Writes below one feed's place; it says when an emission is whole, and can forget."""

    def __init__(self, place: Place, formats: Sequence[Form]) -> None:
        import duckdb

        self._place = place
        self._formats = formats
        self._failures: tuple[type[Exception], ...] = (
            OSError,
            duckdb.Error,
            *place.exceptions(),
        )
        self._connection = duckdb.connect()

    def deliver(self, batch: Batch) -> Sequence[RowError]:
        """Write the batch's part in each format; no row is ever refused."""
        self._connection.register("batch", batch.rows)
        try:
            with tempfile.TemporaryDirectory(prefix="muster-") as scratch:
                for form in self._formats:
                    name = f"part-{batch.number:05d}.{form}"
                    self._place.put(
                        f"{batch.emission_id}/{name}", Path(scratch), self._writer(form)
                    )
        except self._failures as error:
            raise plainly(error, self._place.name) from None
        return ()

    def _writer(self, form: Form) -> Writer:
        def write(path: Path) -> None:
            target = str(path).replace("'", "''")
            self._connection.execute(
                f"copy (select * from batch order by sequence) to '{target}' ({_OPTIONS[form]})"
            )

        return write

    def complete(self, feed: str, emission_id: str) -> None:
        """Mark the emission's folder as whole."""
        try:
            self._place.touch(f"{emission_id}/{SUCCESS}")
        except self._failures as error:
            raise plainly(error, self._place.name) from None

    def clear(self, feed: str) -> None:
        """Remove all that the feed wrote."""
        try:
            self._place.remove()
        except self._failures as error:
            raise plainly(error, self._place.name) from None

    def close(self) -> None:
        """Forget the batch."""
        self._connection.close()
