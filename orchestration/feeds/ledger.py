"""The ledger of one feed: what it meant to send, written before, and what arrived, written after.

Files under `ledger/feeds/<feed>/`, each put in place by rename and none edited. They survive the
loss of the warehouse:

    intents/<id>.parquet, .json     rows of an emission, and its header, which makes it count
    progress/<id>                   up to which sequence the open emission was delivered
    acknowledgements/<id>.json      it arrived
    archive/<first>-<last>.*        acknowledged emissions joined: the same, in fewer files
    state/<sequence>.*              see state.py
    words/, refused/                tables of words.py and refused.py

An emission is named after its first sequence, so names are in order.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.connectors.durable import put, put_table, read_table, remove
from orchestration.publication.snapshot import checksum

if TYPE_CHECKING:
    import pyarrow as pa

CURE = "restore the ledger from a backup, or move the feed's folder in it away and begin anew"
DIGITS = 12  # of a sequence in a file's name, so that names are in order


@dataclass(frozen=True)
class Header:
    """One emission: its rows are numbered from `first_sequence` to `last_sequence`."""

    emission_id: str
    as_of: str
    snapshot_id: str
    first_sequence: int
    last_sequence: int
    created_at: str
    sha256: str

    @property
    def rows(self) -> int:
        """How many."""
        return self.last_sequence - self.first_sequence + 1


@dataclass(frozen=True)
class Look:
    """The newest time that a feed looked whether there is something to send.

    `state` is what it looked at: while that is the same, there is nothing new. `held` are audiences
    that a guard holds back, with the reason; `erased` is how many profile ids were erased by then.
    """

    state: str
    snapshot_id: str
    at: str
    held: dict[str, str] = field(default_factory=dict)
    erased: int = 0


@dataclass(frozen=True)
class Failure:
    """Attempts that failed in a row; until `retry_at` no sensor makes another."""

    count: int
    message: str
    at: str
    retry_at: str


class LedgerError(RuntimeError):
    """The ledger is damaged or does not fit the destination; the message says what to do."""


class Ledger:
    """Reads and appends one feed's ledger.

    Args:
        folder: `ledger/feeds/<feed>`; made when something is written.
        key: the columns that name what a row is about.
    """

    def __init__(self, folder: Path, key: Sequence[str]) -> None:
        self.folder = folder
        self.feed = folder.name
        self.key = tuple(key)

    # What there is.

    def archives(self) -> list[Path]:
        """Archives, oldest first."""
        return sorted(path.with_suffix(".parquet") for path in self.files("archive/*.json"))

    def archived_until(self) -> int:
        """The last sequence in archives; 0 if there is none."""
        found = self.archives()
        return last_of(found[-1]) if found else 0

    def emissions(self) -> list[Header]:
        """Emissions that are not archived, oldest first."""
        until = self.archived_until()
        headers = [header_of(path) for path in sorted(self.files("intents/*.json"))]
        return [one for one in headers if one.first_sequence > until]

    def all_emissions(self) -> Iterator[Header]:
        """Every emission ever, oldest first."""
        for path in self.archives():
            for entry in said_in(path.with_suffix(".json"))["emissions"]:
                yield Header(**entry)
        yield from self.emissions()

    def unacknowledged(self) -> list[Header]:
        """Emissions that were meant to be sent and may not have arrived, oldest first."""
        return [one for one in self.emissions() if not self.acknowledgement(one).exists()]

    def last_sequence(self) -> int:
        """The highest sequence given so far; 0 before the first."""
        headers = self.emissions()
        return headers[-1].last_sequence if headers else self.archived_until()

    def arrived(self) -> int:
        """The sequence up to which rows were delivered, refused ones among them."""
        still_open = self.unacknowledged()
        return self.progress(still_open[0]) if still_open else self.last_sequence()

    def rows(self, emission: Header) -> "pa.Table":
        """The rows of an emission.

        Raises:
            LedgerError: the file is not what was written.
        """
        path = self.intent(emission.emission_id)
        if path.exists():
            if checksum(path) != emission.sha256:
                raise LedgerError(f"{path} is damaged: its checksum is not that of its header")
            return read_table(path)
        return self.rows_from(emission.first_sequence, emission.last_sequence)

    def rows_from(self, first: int, last: int | None = None) -> "pa.Table":
        """Rows by their sequence, in order; both ends are meant."""
        import duckdb

        history = self.history()
        if history is None:
            raise LedgerError(f"feed {self.feed} has sent nothing yet")
        until = "" if last is None else f" and sequence <= {last}"
        with duckdb.connect() as connection:
            return connection.execute(
                f"select * from {history} where sequence >= {first}{until} order by sequence"
            ).to_arrow_table()

    def history(self, after: int = 0) -> str | None:
        """SQL of all rows whose sequence is greater than `after`; None if there are none."""
        files = [path for path in self.archives() if last_of(path) > after]
        files += [
            self.intent(one.emission_id) for one in self.emissions() if one.last_sequence > after
        ]
        if not files:
            return None
        where = f" where sequence > {after}" if after else ""
        return f"(from read_parquet({[str(path) for path in files]}, union_by_name=true){where})"

    # What is written.

    def intend(self, rows: "pa.Table", as_of: str, snapshot_id: str) -> Header:
        """Write down what is about to be sent.

        Args:
            rows: with `sequence`, which goes on from the last one without a gap.
            as_of: of the snapshot.
            snapshot_id: of the snapshot.

        Raises:
            LedgerError: there is a gap.
        """
        first, last = rows["sequence"][0].as_py(), rows["sequence"][-1].as_py()
        if first != self.last_sequence() + 1 or last - first + 1 != rows.num_rows:
            raise LedgerError(
                f"feed {self.feed}: rows {first} to {last} do not follow {self.last_sequence()}"
            )
        emission_id = f"{first:0{DIGITS}d}"
        path = self.intent(emission_id)
        put_table(path, rows)
        header = Header(emission_id, as_of, snapshot_id, first, last, _now(), checksum(path))
        put(path.with_suffix(".json"), asdict(header))
        return header

    def progress(self, emission: Header) -> int:
        """The last sequence of an open emission that was delivered."""
        path = self.folder / "progress" / emission.emission_id
        return int(said_in(path)) if path.exists() else emission.first_sequence - 1

    def advance(self, emission: Header, sequence: int) -> None:
        """Write down up to where an open emission was delivered."""
        # Not forced to the disk: what is lost is delivered again, under the same keys.
        put(self.folder / "progress" / emission.emission_id, sequence, is_forced=False)

    def acknowledge(self, emission: Header, refused: int) -> None:
        """Write down that an emission arrived, but for so many rows that were refused."""
        put(
            self.acknowledgement(emission),
            {"emission_id": emission.emission_id, "refused": refused, "acknowledged_at": _now()},
        )
        remove(self.folder / "progress" / emission.emission_id)

    def acknowledged_at(self, emission: Header) -> str | None:
        """When an emission arrived, if it did; of an archived one the time is not kept."""
        path = self.acknowledgement(emission)
        return said_in(path)["acknowledged_at"] if path.exists() else None

    def look(self) -> Look | None:
        """The newest look."""
        path = self.folder / "look.json"
        return Look(**said_in(path)) if path.exists() else None

    def looked(
        self, state: str, snapshot_id: str, erased: int, held: Mapping[str, str] | None = None
    ) -> None:
        """Write down what was looked at, now that nothing of it is left to send."""
        look = Look(state, snapshot_id, _now(), dict(held or {}), erased)
        put(self.folder / "look.json", asdict(look))

    def broken_replay(self) -> int | None:
        """The sequence from which a replay was to send again that did not come to its end."""
        path = self.folder / "replay.json"
        return int(said_in(path)) if path.exists() else None

    def replays(self, first: int | None) -> None:
        """Write down that a replay is at a sequence, or with None that it came to its end."""
        path = self.folder / "replay.json"
        if first:
            put(path, first)
        else:
            remove(path)

    def place(self) -> str | None:
        """Where rows went so far (`Feed.place`); None before the first."""
        path = self.folder / "place.json"
        return str(said_in(path)) if path.exists() else None

    def placed(self, place: str) -> None:
        """Write down where rows go from now on."""
        if self.place() != place:
            put(self.folder / "place.json", place)

    def failure(self) -> Failure | None:
        """The newest attempt, if it failed."""
        path = self.folder / "failure.json"
        return Failure(**said_in(path)) if path.exists() else None

    def failed(self, failure: Failure | None) -> None:
        """Write down that an attempt failed, or with None that one did not."""
        path = self.folder / "failure.json"
        if failure:
            put(path, asdict(failure))
        else:
            remove(path)

    def files(self, pattern: str) -> list[Path]:
        """Files of the ledger by their names."""
        return list(self.folder.glob(pattern))

    def intent(self, emission_id: str) -> Path:
        """Where the rows of an emission are."""
        return self.folder / "intents" / f"{emission_id}.parquet"

    def acknowledgement(self, emission: Header) -> Path:
        """Where it says that an emission arrived."""
        return self.folder / "acknowledgements" / f"{emission.emission_id}.json"


def with_keys(feed: str, rows: "pa.Table") -> "pa.Table":
    """Rows with their idempotency keys.

    Feed and sequence name a row for ever, so a retry carries the same key.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = pc.cast(rows["sequence"], pa.string())
    return rows.append_column("idempotency_key", pc.binary_join_element_wise(feed, numbers, "-"))


def header_of(path: Path) -> Header:
    """The header in a file.

    Raises:
        LedgerError: it is damaged.
    """
    return Header(**said_in(path))


def said_in(path: Path) -> Any:
    """What a small file of the ledger says.

    Raises:
        LedgerError: it is damaged, or gone.
    """
    try:
        return json.loads(path.read_text())
    except (ValueError, FileNotFoundError) as error:
        words = "it is missing" if isinstance(error, OSError) else "it is no JSON any more"
        raise LedgerError(f"{path}: {words}; {CURE}") from None


def last_of(archive: Path) -> int:
    """The last sequence in an archive."""
    return int(archive.stem.split("-")[1])


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
