"""What a consumer holds who applied every row of a feed, and the upkeep of the feed's ledger.

Everything here can be made anew from the ledger's intents: a state spares reading all of them, an
archive joins small files. Nothing that was sent changes.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.connectors.destinations.base import REMOVING
from orchestration.connectors.durable import put, remove
from orchestration.feeds.ledger import Ledger, header_of
from orchestration.feeds.words import reset_at
from orchestration.publication.snapshot import checksum

if TYPE_CHECKING:
    import duckdb

# Fewer small files than this are left alone.
ARCHIVE_FROM = 64
# A state is written when so many rows came after the last.
STATE_EVERY = 50_000
# What a row says of itself only, and not of what the consumer then holds.
_OF_THE_ROW = ("sequence", "action", "reason", "merged_into", "idempotency_key", "as_of",
               "snapshot_id")  # fmt: skip


def sent(connection: "duckdb.DuckDBPyConnection", ledger: Ledger) -> str | None:
    """SQL of what a consumer holds who applied every row: key and fields; None if nothing.

    Rows up to a reset do not count. Reads the newest state and the rows after it.
    """
    reset = reset_at(ledger.folder)
    state = _state(ledger, reset)
    after = max(reset, int(state.stem) if state else 0)
    history = ledger.history(after)
    if history is None:
        return f"(from read_parquet('{state}'))" if state else None
    key = ", ".join(ledger.key)
    removing = ", ".join(f"'{action}'" for action in REMOVING)
    columns = [row[0] for row in connection.execute(f"describe {history}").fetchall()]
    fields = ", ".join(name for name in columns if name not in _OF_THE_ROW)
    last = f"""select {fields}, action in ({removing}) as is_gone from {history}
        qualify row_number() over (partition by {key} order by sequence desc) = 1"""
    if state is None:
        return f"(select * exclude (is_gone) from ({last}) where not is_gone)"
    return f"""(
        select * from read_parquet('{state}') anti join ({last}) using ({key})
        union all by name select * exclude (is_gone) from ({last}) where not is_gone
    )"""


def tidy(ledger: Ledger) -> None:
    """Write a new state and join small files, where it pays. Nothing that is sent changes."""
    import duckdb

    with duckdb.connect() as connection:
        if "segment" in ledger.key:  # a message is held by nobody
            _write_state(connection, ledger)
        _archive(connection, ledger)


def _write_state(connection: "duckdb.DuckDBPyConnection", ledger: Ledger) -> None:
    reset, last = reset_at(ledger.folder), ledger.last_sequence()
    state = _state(ledger, reset)
    known = int(state.stem) if state else reset
    if last - known < STATE_EVERY and not (state is None and last > reset):
        return
    held = sent(connection, ledger)
    if held is None:
        return
    path = ledger.folder / "state" / f"{last:012d}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    connection.execute(f"copy (from {held}) to '{temporary}' (format parquet)")
    temporary.rename(path)
    put(path.with_suffix(".json"), {"sha256": checksum(path), "reset_at": reset})
    for old in ledger.files("state/*.json"):
        if old.stem != path.stem:
            remove(old)
            remove(old.with_suffix(".parquet"))


def _state(ledger: Ledger, reset: int) -> Path | None:
    for header in sorted(ledger.files("state/*.json"), reverse=True):
        path = header.with_suffix(".parquet")
        said: Mapping[str, Any] = json.loads(header.read_text())
        if said["reset_at"] == reset and path.exists() and checksum(path) == said["sha256"]:
            return path
    return None


def _archive(connection: "duckdb.DuckDBPyConnection", ledger: Ledger) -> None:
    done = []
    for one in ledger.emissions():
        if not ledger.acknowledgement(one).exists():
            break
        done.append(one)
    if len(done) >= ARCHIVE_FROM:
        first, last = done[0].first_sequence, done[-1].last_sequence
        path = ledger.folder / "archive" / f"{first:012d}-{last:012d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".new")
        files = [str(ledger.intent(one.emission_id)) for one in done]
        connection.execute(
            f"""copy (from read_parquet({files}, union_by_name=true) order by sequence)
            to '{temporary}' (format parquet)"""
        )
        temporary.rename(path)
        entries = [asdict(one) for one in done]
        put(path.with_suffix(".json"), {"sha256": checksum(path), "emissions": entries})
    _forget_archived(ledger)


def _forget_archived(ledger: Ledger) -> None:
    # Also what a process that died between the two left.
    until = ledger.archived_until()
    for path in ledger.files("intents/*.json"):
        if int(path.stem) <= until:
            header = header_of(path)
            remove(path)
            remove(path.with_suffix(".parquet"))
            remove(ledger.acknowledgement(header))
