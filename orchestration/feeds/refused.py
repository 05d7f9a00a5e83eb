"""Rows that a destination refused while it took the rest: tried again, and at last dead letters.

A table in the feed's ledger, `refused/`: one row for each word on a row of the feed, none edited.
The last word counts: `waiting` for another attempt, `dead` after the last, `delivered` at last,
`superseded` by a later row of the same key, or `stopped`: a message that does not hold any more.
Reasons hold no personal data.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from orchestration.connectors.destinations.base import RowError
from orchestration.publication.append import append_rows, last_record

if TYPE_CHECKING:
    import pyarrow as pa

    from orchestration.feeds.ledger import Ledger

FOLDER = "refused"


class Refusal(NamedTuple):
    """The last word on a refused row."""

    sequence: int
    state: str
    attempts: int
    reason: str
    said_at: str


def refusals(feed: Path, states: Sequence[str] = ("waiting", "dead")) -> list[Refusal]:
    """Refused rows by their last word, in order of sequence.

    Args:
        feed: the feed's folder in the ledger.
        states: which ones.
    """
    import duckdb

    folder = feed / FOLDER
    if not last_record(folder).number:
        return []
    rows = duckdb.sql(
        f"""select sequence, max_by(state, number), max_by(attempts, number),
            max_by(reason, number), strftime(max(recorded_at), '%Y-%m-%dT%H:%M:%SZ')
        from read_parquet('{folder}/*.parquet') group by sequence order by sequence"""
    ).fetchall()
    return [one for one in map(Refusal._make, rows) if one.state in states]


def refuse(feed: Path, errors: Sequence[RowError], row_attempts: int) -> list[Refusal]:
    """Write down that rows were refused once more; what became of them."""
    known = {one.sequence: one.attempts for one in refusals(feed, ("waiting", "dead", "delivered"))}
    said = []
    for error in errors:
        attempts = known.get(error.sequence, 0) + 1
        is_dead = error.is_final or attempts >= row_attempts
        state = "dead" if is_dead else "waiting"
        said.append(Refusal(error.sequence, state, attempts, error.reason, ""))
    _write(feed, said)
    return said


def settle(feed: Path, rows: Sequence[Refusal], state: str) -> None:
    """Write down what became of refused rows: `delivered`, `superseded`, or `waiting` anew."""
    attempts = 0 if state == "waiting" else None
    _write(
        feed,
        [
            one._replace(state=state, attempts=one.attempts if attempts is None else attempts)
            for one in rows
        ],
    )


def rows_to_retry(
    ledger: "Ledger", waiting: Sequence[Refusal]
) -> "tuple[list[Refusal], pa.Table | None]":
    """Those of the rows that are still worth an attempt, and what they say.

    One of whose key something later was said is not tried: it would undo that. It is settled here.
    """
    import duckdb

    history = ledger.history()
    if not waiting or history is None:
        return [], None
    key = ", ".join(ledger.key)
    numbers = ", ".join(str(one.sequence) for one in waiting)
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"""with about as (select {key} from {history} where sequence in ({numbers}))
            select * from {history} semi join about using ({key})
            qualify row_number() over (partition by {key} order by sequence desc) = 1
                and sequence in ({numbers})
            order by sequence"""
        ).to_arrow_table()
    current = set(rows["sequence"].to_pylist())
    settle(ledger.folder, [one for one in waiting if one.sequence not in current], "superseded")
    return [one for one in waiting if one.sequence in current], rows if rows.num_rows else None


def _write(feed: Path, said: Sequence[Refusal]) -> None:
    columns = ("sequence", "state", "attempts", "reason")
    append_rows(feed / FOLDER, [{name: getattr(one, name) for name in columns} for one in said])
