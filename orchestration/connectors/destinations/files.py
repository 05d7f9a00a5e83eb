"""The file destination: a folder for each emission, with its parts and at last a `_SUCCESS`.

Each part is put in place by rename, so nobody reads half of one, and a batch that is delivered
twice writes the same file again.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from orchestration.connectors.destinations.base import Batch, DeliveryError, Destination, RowError

Form = Literal["jsonl", "parquet", "csv"]
_OPTIONS = {"jsonl": "format json", "parquet": "format parquet", "csv": "format csv, header"}
SUCCESS = "_SUCCESS"


class FilesDestination(Destination):
    """Files under `folder`, by default `feeds/` of MUSTER_HOME, in each of the formats."""

    folder: str = ""
    formats: tuple[Form, ...] = ("jsonl", "parquet")
    batch_rows: int = 1_000_000

    def open(self, feed: str, columns: Sequence[str], key: Sequence[str]) -> "FilesSession":
        """Needs no more than a folder that can be written."""
        folder = Path(self.folder) if self.folder else Path(os.environ["MUSTER_HOME"]) / "feeds"
        return FilesSession(folder / feed, self.formats)


class FilesSession:
    """Writes below one feed's folder."""

    def __init__(self, folder: Path, formats: Sequence[Form]) -> None:
        import duckdb

        self._folder = folder
        self._formats = formats
        self._connection: duckdb.DuckDBPyConnection = duckdb.connect()

    def deliver(self, batch: Batch) -> Sequence[RowError]:
        """Write the batch's part in each format; no row is ever refused."""
        folder = self._folder / batch.emission_id
        self._connection.register("batch", batch.rows)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for form in self._formats:
                path = folder / f"part-{batch.number:05d}.{form}"
                temporary = folder / f".{path.name}.new"
                self._connection.execute(
                    f"copy (select * from batch order by sequence) to '{temporary}' "
                    f"({_OPTIONS[form]})"
                )
                temporary.rename(path)
        except (OSError, _io_exception()) as error:
            raise DeliveryError(
                f"{folder} cannot be written: {str(error).splitlines()[0]}", is_temporary=True
            ) from None
        return ()

    def complete(self, feed: str, emission_id: str) -> None:
        """Mark the emission's folder as whole."""
        (self._folder / emission_id / SUCCESS).touch()

    def clear(self, feed: str) -> None:
        """Remove the feed's folder."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def close(self) -> None:
        """Forget the batch."""
        self._connection.close()


def _io_exception() -> type[Exception]:
    import duckdb

    return duckdb.IOException
