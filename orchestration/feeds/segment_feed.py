"""The segment feed: `enter` and `exit` rows, published membership against what was sent.

It never compares snapshots with each other, so nothing is lost when one of them was not emitted.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestration.connectors.destinations import files
from orchestration.feeds.ledger import Acknowledgement, Ledger
from orchestration.publication.snapshot import Manifest, newest

FEED = "segments"

# What a consumer holds who applied every row so far: the last word on each pair.
_SENT = """
    select segment, profile_id
    from read_parquet('{intents}/*.parquet')
    group by segment, profile_id
    having arg_max(action, sequence) = 'enter'
"""

_CHANGES = """
    with published as (select segment, profile_id from read_parquet('{memberships}')),
    sent as ({sent}),
    changes as (
        select 'exit' as action, segment, profile_id from (from sent except from published)
        union all
        select 'enter', segment, profile_id from (from published except from sent)
    )
    select
        ({last_sequence} + row_number() over (order by segment, profile_id))::bigint as sequence,
        action,
        segment,
        profile_id,
        '{as_of}' as as_of,
        '{snapshot_id}' as snapshot_id
    from changes
    order by sequence
"""


@dataclass(frozen=True)
class Emission:
    """What one call emitted: `rows` by action, and emissions of a dead process sent again."""

    emission_id: str | None
    entered: int
    exited: int
    repeated: list[str]
    last_sequence: int


def _with_keys(rows: pa.Table) -> pa.Table:
    # Feed and sequence name a row for ever, so a retry carries the same key.
    keys = [f"{FEED}-{sequence}" for sequence in rows["sequence"].to_pylist()]
    return rows.append_column("idempotency_key", pa.array(keys, pa.string()))


def changes_since_sent(manifest: Manifest, published: Path, ledger: Ledger) -> pa.Table:
    """The rows that bring a consumer from what was sent to what is published.

    Returns:
        `sequence`, `action`, `segment`, `profile_id`, `as_of`, `snapshot_id`, `idempotency_key`.
    """
    memberships = published / "snapshots" / manifest.snapshot_id / "segment_memberships.parquet"
    has_sent = any(ledger.intents.glob("*.parquet"))
    nothing = "select null::varchar as segment, null::varchar as profile_id where false"
    query = _CHANGES.format(
        memberships=memberships,
        sent=_SENT.format(intents=ledger.intents) if has_sent else nothing,
        last_sequence=ledger.last_sequence(),
        as_of=manifest.as_of,
        snapshot_id=manifest.snapshot_id,
    )
    with duckdb.connect() as connection:
        return _with_keys(connection.execute(query).to_arrow_table())


def _send(ledger: Ledger, folder: Path, emission_id: str) -> pa.Table:
    rows = ledger.intent(emission_id)
    files.deliver(folder, emission_id, rows)
    sequences = rows["sequence"].to_pylist()
    ledger.acknowledge(
        Acknowledgement(
            emission_id, rows["as_of"][0].as_py(), rows.num_rows, sequences[0], sequences[-1]
        )
    )
    return rows


def emit(published: Path, ledger_root: Path, feeds: Path) -> Emission:
    """Send what the newest snapshot changes, after what a dead process left unacknowledged.

    A snapshot that was emitted before, or that changes nothing, sends nothing.
    """
    ledger = Ledger(ledger_root / "feeds" / FEED)
    folder = feeds / FEED
    repeated = ledger.unacknowledged()
    for emission_id in repeated:
        _send(ledger, folder, emission_id)
    manifest = newest(published)
    if manifest is None or manifest.snapshot_id in ledger.acknowledged():
        return Emission(None, 0, 0, repeated, ledger.last_sequence())
    rows = changes_since_sent(manifest, published, ledger)
    if rows.num_rows == 0:
        last = ledger.last_sequence()
        ledger.acknowledge(Acknowledgement(manifest.snapshot_id, manifest.as_of, 0, last + 1, last))
        return Emission(manifest.snapshot_id, 0, 0, repeated, last)
    ledger.append_intent(manifest.snapshot_id, rows)
    _send(ledger, folder, manifest.snapshot_id)
    actions = rows["action"].to_pylist()
    return Emission(
        manifest.snapshot_id,
        actions.count("enter"),
        actions.count("exit"),
        repeated,
        ledger.last_sequence(),
    )
