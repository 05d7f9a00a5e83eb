"""The file-drop source: everything in `inbox/<source>/<entity>/` becomes landing rows, once.

A file is known by its content, so a copy under another name is not loaded twice, and a file that
changed is a new one. Files stay where they are; nothing in the inbox is moved or deleted.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.connectors.contract import entities
from orchestration.connectors.definitions import (
    FolderDefinition,
    load_definitions,
)
from orchestration.connectors.landing import (
    FILES_TABLE,
    REJECTED_TABLE,
    LandedFile,
    as_rows,
    importable,
    land,
    landed_files,
    stamped,
)
from orchestration.connectors.sources import queries, raw_files, readers
from orchestration.connectors.sources.copier import FileCopier, FileFailedError

if TYPE_CHECKING:
    import pyarrow as pa


Progress = Callable[[str], None]
PROGRESS_SECONDS = 5.0
ROW_GROUP_ROWS = 20_480  # each thread holds a group of this size, several times over
FOLDER_DEPTH = 2  # inbox/<source>/<entity>
_UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".swp")


@dataclass
class DropReport:
    """What one look into the inbox did for one source."""

    source: str
    load_id: str | None = None
    files: list[LandedFile] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)


def _all_files(inbox: Path) -> list[Path]:
    """Files of the inbox, sorted; not those that are hidden or still being written."""
    return sorted(
        path
        for path in inbox.rglob("*")
        if path.is_file()
        and not path.name.startswith((".", "_"))
        and not path.name.lower().endswith(_UNFINISHED)
    )


def inbox_files(inbox: Path) -> dict[str, list[Path]]:
    """Readable files of the inbox by folder (`crm/contacts`, all below it), sorted by name."""
    found: dict[str, list[Path]] = {}
    for path in _all_files(inbox):
        parts = path.relative_to(inbox).parts
        if readers.is_readable(path) and len(parts) > FOLDER_DEPTH:
            found.setdefault("/".join(parts[:FOLDER_DEPTH]), []).append(path)
    return found


def stray_files(inbox: Path) -> dict[str, str]:
    """Files that no source will ever read, and why."""
    found = {}
    for path in _all_files(inbox):
        relative = path.relative_to(inbox)
        if not readers.is_readable(path):
            found[relative.as_posix()] = f"not a format that is read: {readers.FORMATS_READ}"
        elif len(relative.parts) <= FOLDER_DEPTH:
            found[relative.as_posix()] = "not in a folder inbox/<source>/<entity>/"
    return found


def sources_in(inbox: Path) -> list[str]:
    """The sources that have a folder in the inbox."""
    return sorted({folder.split("/")[0] for folder in inbox_files(inbox)})


def _is_known(path: Path, inbox: Path, known: dict[str, LandedFile]) -> bool:
    landed = known.get(path.relative_to(inbox).as_posix())
    if landed is None:
        return False
    stat = path.stat()
    return landed.size == stat.st_size and landed.modified_ns == stat.st_mtime_ns


def new_files(inbox: Path, landing: Path) -> dict[Path, str]:
    """Files that have not been landed as they are now, and a stamp of how each is.

    Nothing is read of them, and one that vanishes meanwhile is not there.
    """
    found = {}
    known: dict[str, dict[str, LandedFile]] = {}
    for folder, paths in inbox_files(inbox).items():
        source = folder.split("/")[0]
        if source not in known:
            known[source] = {item.path: item for item in landed_files(landing, source)}
        for path in paths:
            with suppress(FileNotFoundError):
                if not _is_known(path, inbox, known[source]):
                    stat = path.stat()
                    found[path] = f"{path}:{stat.st_size}:{stat.st_mtime_ns}"
    return found


class _SourceLoad:
    """One load of one source: hands dlt a generator for each table, and counts as they run."""

    def __init__(self, inbox: Path, source: str, scratch: Path, progress: Progress) -> None:
        self.inbox = inbox
        self.report = DropReport(source)
        self.progress = progress
        self.landed_at = datetime.now(UTC)
        self.queue: list[tuple[Path, FolderDefinition, LandedFile]] = []
        self.rejects: dict[str, list[queries.RejectedLine]] = {}
        self.notes: dict[str, list[str]] = {}
        self.counts: dict[str, int] = {}
        self.copier = FileCopier(scratch, self.landed_at)
        self.connection = self.copier.connection

    def examine(self, path: Path, definition: FolderDefinition, known: dict[str, str]) -> None:
        """Queue a file, or record why it is not read: empty, a copy, or damaged."""
        relative = path.relative_to(self.inbox).as_posix()
        try:
            digest = raw_files.fingerprint(path)
        except raw_files.UnreadableFileError as error:
            self.report.refused[relative] = str(error)
            return
        stat = path.stat()
        item = LandedFile(relative, digest, stat.st_size, stat.st_mtime_ns, 0, 0, "")
        if raw_files.is_empty(path):
            self.report.files.append(_with(item, message="the file is empty"))
        elif digest in known:
            first = known[digest]
            note = "" if first == relative else f"same content as {first}, not loaded again"
            self.report.files.append(_with(item, message=note))
        else:
            known[digest] = relative
            self.queue.append((path, definition, item))

    def check_readable(self) -> None:
        """Refuse files whose header cannot be used, before anything is written."""
        readable = []
        for path, definition, item in self.queue:
            try:
                reading = readers.open_reading(self.connection, path, definition)
                queries.check_queries(self.connection, reading, definition)
            except raw_files.UnreadableFileError as error:
                self.report.refused[item.path] = str(error)
                continue
            self.notes[item.path] = reading.notes
            readable.append((path, definition, item))
        self.queue = readable

    def rows_of(self, entity: str) -> "Iterator[object]":
        """All queued files' rows of one entity, with the landing columns."""
        queue = [entry for entry in self.queue if entity in entry[1].entities]
        told = time.monotonic()
        for number, (path, definition, item) in enumerate(queue, start=1):
            copied = self.copier.copy(path, definition, entity, item.path)
            for landed, rows in copied.parts:
                self.counts[item.path] = self.counts.get(item.path, 0) + rows
                self.report.rows[entity] = self.report.rows.get(entity, 0) + rows
                yield importable(landed, rows)
            self.rejects.setdefault(item.path, copied.rejects)
            if number == len(queue) or time.monotonic() - told > PROGRESS_SECONDS:
                told = time.monotonic()
                rows = self.report.rows.get(entity, 0)
                self.progress(f"{entity}: {number:,} of {len(queue):,} files, {rows:,} rows")

    def _stamped(self, batch: "pa.RecordBatch") -> "pa.Table":
        import pyarrow as pa

        return stamped(pa.Table.from_batches([batch]), self.landed_at)

    def rejected_rows(self) -> "Iterator[pa.Table]":
        """The lines that were no rows."""
        import pyarrow as pa

        rows = [
            {
                "folder": path.rsplit("/", 1)[0],
                "_source_file": path,
                "_row_number": line.line_number,
                "reason": line.reason,
                "content": line.content,
            }
            for path, lines in self.rejects.items()
            for line in lines
        ]
        if rows:
            for batch in pa.Table.from_pylist(rows).to_batches():
                yield self._stamped(batch)

    def file_rows(self) -> "Iterator[pa.Table]":
        """`_files`, last of the load: what was read of each file."""
        import pyarrow as pa

        for _, _, item in self.queue:
            bad = len(self.rejects.get(item.path, []))
            good = self.counts.get(item.path, 0)
            notes = list(self.notes.get(item.path, []))
            if bad:
                notes.append(f"{bad} lines could not be read and went aside")
            if not good and not bad:
                notes.append("no rows after the header")
            self.report.files.append(_with(item, rows=good, rejected=bad, message="; ".join(notes)))
        for batch in pa.Table.from_pylist(as_rows(self.report.files)).to_batches():
            yield self._stamped(batch)


def _with(item: LandedFile, **changes: str | int) -> LandedFile:
    return LandedFile(**{**item.__dict__, **changes})


def _prepared(job: _SourceLoad, landing: Path, damaged: dict[str, str]) -> _SourceLoad:
    """The job, with every new file that can be read in its queue; `damaged` ones are refused."""
    definitions = load_definitions()
    inbox, source = job.inbox, job.report.source
    job.report.refused.update(damaged)
    known = landed_files(landing, source)
    by_path = {item.path: item for item in known}
    by_content = {item.sha256: item.path for item in known if item.size}
    for folder, paths in inbox_files(inbox).items():
        if folder.split("/")[0] != source:
            continue
        if folder not in definitions:
            job.report.refused[folder] = (
                f"inbox/{folder} is not an entity of the input contract "
                f"({', '.join(sorted(definitions))}); describe it in sources.yml"
            )
            continue
        for path in paths:
            if path.relative_to(inbox).as_posix() in damaged:
                continue
            with suppress(FileNotFoundError):
                if not _is_known(path, inbox, by_path):
                    job.examine(path, definitions[folder], by_content)
    job.check_readable()
    return job


def land_inbox(
    inbox: Path,
    landing: Path,
    state: Path,
    source: str,
    progress: Progress = lambda _: None,
) -> DropReport:
    """Land every new file of one source in one load; nothing new makes no load.

    A file that turns out damaged in its middle is refused, and the load begun again without it.

    Args:
        inbox: the folder that holds `<source>/<entity>/` folders.
        landing: where the Parquet goes.
        state: dlt's working folder.
        source: the source to look at.
        progress: told now and then, and at the end of each entity, how far it is.
    """
    damaged: dict[str, str] = {}
    while True:
        scratch = state / f"copied_{source}"
        job = _prepared(_SourceLoad(inbox, source, scratch, progress), landing, damaged)
        if not job.queue and not job.report.files:
            return job.report
        tables = {
            entity: job.rows_of(entity)
            for entity in entities()
            if any(entity in definition.entities for _, definition, _ in job.queue)
        }
        tables[REJECTED_TABLE] = job.rejected_rows()
        tables[FILES_TABLE] = job.file_rows()
        try:
            job.report.load_id = land(landing, state, source, tables)
        except Exception as error:
            failed = _failed_file(error)
            if failed is None:
                raise
            damaged[failed.path] = f"{failed.cause}; nothing of the file was loaded"
            continue
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return job.report


def _failed_file(error: BaseException | None) -> FileFailedError | None:
    """The file behind an error that dlt wrapped."""
    while error is not None and not isinstance(error, FileFailedError):
        error = error.__cause__ or error.__context__
    return error
