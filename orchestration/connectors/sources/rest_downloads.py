"""What was downloaded of an endpoint, kept on disk for all of its parts, so they see one moment.

The files have no names: they are gone with the process, whatever ends it.
"""

import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.connectors.sources.rest_records import Distinct

if TYPE_CHECKING:
    import pyarrow as pa

    from orchestration.connectors.sources.rest_http import Page

_CHUNK_BYTES = 8_000_000  # pages are joined to tables of this size, which are faster to work on


class Download:
    """The records of an endpoint that changed since a moment (None: all there are), each once.

    `began` is the API's time of its first answer; None where there was none.

    Raises:
        SourceError: the API refused, was not there, or did not answer as defined.
    """

    def __init__(
        self,
        pages: "Iterable[Page]",
        changed: str,
        since: datetime | None,
        scratch: Path | None,
    ) -> None:
        import pyarrow as pa

        self.since = since
        self.began: datetime | None = None
        self.file = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115  # `close` closes it
        distinct = Distinct(changed)
        waiting = distinct.schema.empty_table()
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        try:
            with pa.ipc.new_stream(self.file, waiting.schema, options=options) as stream:
                for page in pages:
                    self.began = self.began or page.answered_at
                    waiting = pa.concat_tables([waiting, distinct(page.records)])
                    if waiting.nbytes >= _CHUNK_BYTES:
                        stream.write_table(waiting.combine_chunks())
                        waiting = waiting.slice(0, 0)
                stream.write_table(waiting.combine_chunks())
        except BaseException:
            self.close()
            raise

    def covers(self, since: datetime | None) -> bool:
        """Whether it holds all that changed since then."""
        return self.since is None or (since is not None and self.since <= since)

    def tables(self) -> "Iterator[pa.Table]":
        """The records as `Distinct` gives them."""
        import pyarrow as pa

        self.file.seek(0)
        with pa.ipc.open_stream(self.file) as stream:
            for batch in stream:
                yield pa.Table.from_batches([batch])

    def close(self) -> None:
        """Forget the records."""
        self.file.close()


class Downloads:
    """The newest download of each endpoint, by its name, in files of the folder `scratch`."""

    def __init__(self, scratch: Path | None) -> None:
        self.scratch = scratch
        self.kept: dict[str, Download] = {}

    def get(
        self, name: str, changed: str, since: datetime | None, pages: "Iterable[Page]"
    ) -> Download:
        """The download there is, if it reaches back to `since`; else one made of `pages`.

        Raises:
            SourceError: the API refused, was not there, or did not answer as defined.
        """
        found = self.kept.get(name)
        if found is None or not found.covers(since):
            if found:
                self.kept.pop(name).close()
            found = self.kept[name] = Download(pages, changed, since, self.scratch)
        return found

    def close(self) -> None:
        """Forget all of them."""
        while self.kept:
            self.kept.popitem()[1].close()
