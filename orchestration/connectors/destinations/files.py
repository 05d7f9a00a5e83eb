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

from orchestration.connectors.destinations.base import Batch, DeliveryError, Destination, RowError
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
# Without guesses: an id may look like a number, or like a date.
_READERS: dict[Form, str] = {
    "jsonl": "read_json('{file}', format = 'newline_delimited', columns = {columns})",
    "parquet": "read_parquet('{file}')",
    "csv": "read_csv('{file}', all_varchar = true)",
}


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
                    name = f"{batch.emission_id}/part-{batch.number:05d}.{form}"
                    if not batch.is_replayed:
                        self._check_same(batch, name, form, Path(scratch))
                    self._place.put(name, Path(scratch), self._writer(form))
        except self._failures as error:
            raise plainly(error, self._place.name) from None
        return ()

    def _check_same(self, batch: Batch, name: str, form: Form, scratch: Path) -> None:
        """What is there by that name, as after a kill, is about the same; else it is another's.

        Raises:
            DeliveryError: the rows there are about something else.
        """
        there = self._place.read(name, scratch)
        if there is None:
            return
        names = ("sequence", *batch.key)
        columns = ", ".join(f"{one}::varchar as {one}" for one in names)
        file = str(there).replace("'", "''")
        source = _READERS[form].format(file=file, columns=dict.fromkeys(names, "VARCHAR"))
        (differing,) = self._connection.execute(
            f"""select count(*) from (
                (select {columns} from batch except select {columns} from {source})
                union all (select {columns} from {source} except select {columns} from batch))"""
        ).fetchall()[0]
        if differing:
            raise DeliveryError(
                f"{self._place.name}/{name} holds other rows: another ledger wrote them, or this "
                "one was restored to before them. Restore the one that did, or begin anew with "
                "`muster feed reset`",
                is_temporary=False,
            )

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
