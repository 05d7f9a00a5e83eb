"""The ledger of one feed: what it meant to send, written before, and what arrived, written after.

Append-only files under `ledger/feeds/<feed>/`: an intent is Parquet, an acknowledgement is JSON.
Neither is ever edited, and both survive the loss of the warehouse.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

INTENTS = "intents"  # the folder of what was meant to be sent


@dataclass(frozen=True)
class Acknowledgement:
    """One emission that arrived; no rows when a snapshot changed nothing."""

    emission_id: str
    as_of: str
    rows: int
    first_sequence: int
    last_sequence: int


class Ledger:
    """Reads and appends one feed's ledger. An emission is named after its snapshot."""

    def __init__(self, folder: Path) -> None:
        self.intents = folder / INTENTS
        self.acknowledgements = folder / "acknowledgements"
        self.intents.mkdir(parents=True, exist_ok=True)
        self.acknowledgements.mkdir(parents=True, exist_ok=True)

    def acknowledged(self) -> dict[str, Acknowledgement]:
        """Acknowledged emissions by id."""
        found = {}
        for path in sorted(self.acknowledgements.glob("*.json")):
            entry = Acknowledgement(**json.loads(path.read_text()))
            found[entry.emission_id] = entry
        return found

    def unacknowledged(self) -> list[str]:
        """Emissions that were meant to be sent and may not have arrived, oldest first."""
        done = self.acknowledged()
        return [
            path.stem for path in sorted(self.intents.glob("*.parquet")) if path.stem not in done
        ]

    def intent(self, emission_id: str) -> pa.Table:
        """The rows of one emission."""
        return pq.read_table(self.intents / f"{emission_id}.parquet")

    def last_sequence(self) -> int:
        """The highest sequence number given so far; 0 before the first."""
        if not any(self.intents.glob("*.parquet")):
            return 0
        row = duckdb.sql(
            f"select max(sequence) from read_parquet('{self.intents}/*.parquet')"
        ).fetchone()
        return int(row[0] or 0) if row else 0

    def append_intent(self, emission_id: str, rows: pa.Table) -> None:
        """Write down what is about to be sent."""
        temporary = self.intents / f"{emission_id}.new"
        pq.write_table(rows, temporary)
        temporary.rename(self.intents / f"{emission_id}.parquet")

    def acknowledge(self, entry: Acknowledgement) -> None:
        """Write down that an emission arrived."""
        temporary = self.acknowledgements / f"{entry.emission_id}.new"
        temporary.write_text(json.dumps(asdict(entry)))
        temporary.rename(self.acknowledgements / f"{entry.emission_id}.json")
