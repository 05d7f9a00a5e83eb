"""The campaign feed: a `send` row for each message that was decided, with its words.

Consent, conversion and pauses are asked again when a row goes out. What does not hold any more is
stopped for good; what is paused waits. A row that was meant to go out when the process died may
have arrived: it is sent again under the same key, or as `cancel` if it does not hold any more.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from orchestration.connectors.destinations import files
from orchestration.feeds.ledger import Acknowledgement, Ledger
from orchestration.publication.append import Record, append, last_record
from orchestration.publication.snapshot import Manifest, newest

if TYPE_CHECKING:
    import duckdb

FEED = "campaigns"
STOPPED = "stopped"  # the folder of what will never go out, in the feed's ledger
Decision = dict[str, Any]

ROWS = pa.schema(
    [("sequence", pa.int64()), ("action", pa.string()), ("idempotency_key", pa.string()),
     ("campaign", pa.string()), ("step", pa.string()), ("variant", pa.string()),
     ("channel", pa.string()), ("profile_id", pa.string()), ("occurrence_key", pa.string()),
     ("subject", pa.string()), ("preview", pa.string()), ("body", pa.string()),
     ("locale", pa.string()), ("version", pa.string()), ("decision_id", pa.string()),
     ("occurred_at", pa.timestamp("us")), ("due_at", pa.timestamp("us")),
     ("expires_at", pa.timestamp("us")), ("as_of", pa.string()), ("snapshot_id", pa.string())]
)  # fmt: skip
_WORDS = ("subject", "preview", "body", "locale")
_NOTED = ("decision_id", "campaign", "step", "profile_id", "occurrence_key", "reason", "detail")


@dataclass(frozen=True)
class Refused:
    """Why a decision to send does not hold any more."""

    reason: str
    detail: str


@dataclass(frozen=True)
class Emission:
    """What one call emitted.

    `stopped` counts by reason what will never go out, `waiting` by reason what is paused.
    """

    emission_id: str | None
    sent: int
    stopped: Mapping[str, int] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    repeated: tuple[str, ...] = ()
    last_sequence: int = 0


class Gate(Protocol):
    """What stands between decisions and their emission, at one moment."""

    now: datetime
    """The machine's clock, UTC with its zone."""
    connection: "duckdb.DuckDBPyConnection"
    """Has `aliases`: ids of the past (alias_profile_id), and whom they mean (profile_id)."""

    def waits(self, decision: Decision) -> str | None:
        """Why it does not go out now, and may later."""

    def refused(self, decisions: Sequence[Decision]) -> Mapping[str, Refused]:
        """Those that do not hold any more, by decision_id."""

    def words(self, decisions: Sequence[Decision]) -> Mapping[str, Decision | str]:
        """Subject, preview, body and locale by decision_id; where there can be none, why."""


def emit(
    published: Path, ledger_root: Path, feeds: Path, gate_of: Callable[[Manifest], Gate]
) -> Emission:
    """Send what was decided and is not sent yet, after what a dead process left unacknowledged.

    Args:
        published: the folder of snapshots.
        ledger_root: the ledger's folder.
        feeds: where emissions go.
        gate_of: opens the gate for a snapshot; it is asked only if there is one.
    """
    ledger = Ledger(ledger_root / "feeds" / FEED)
    manifest = newest(published)
    if manifest is None or not _decisions(published, manifest).exists():
        return Emission(None, 0, last_sequence=ledger.last_sequence())
    open_emissions = ledger.unacknowledged()
    gate = gate_of(manifest)
    stopped: list[Decision] = []
    for interrupted in open_emissions:
        stopped += _send_again(feeds, ledger, interrupted, gate)
    waiting: Counter[str] = Counter()
    pending = []
    for one in _pending(published, ledger_root, manifest, gate):
        if reason := gate.waits(one):
            waiting[reason] += 1
        else:
            pending.append(one)
    rows, refused = _rows(gate, pending, manifest, ledger.last_sequence())
    _stop(ledger, refused, gate.now)
    emission_id: str | None = None
    if rows:
        emission_id = f"{rows[0]['sequence']:09d}"
        ledger.append_intent(emission_id, pa.Table.from_pylist(rows, schema=ROWS))
        _deliver(feeds, ledger, emission_id, ledger.intent(emission_id))
    reasons = Counter(one["reason"] for one in [*stopped, *refused])
    return Emission(
        emission_id, len(rows), reasons, waiting, tuple(open_emissions), ledger.last_sequence()
    )


def _decisions(published: Path, manifest: Manifest) -> Path:
    return published / "snapshots" / manifest.snapshot_id / "campaign_decisions.parquet"


def _rows(
    gate: Gate, pending: Sequence[Decision], manifest: Manifest, last: int
) -> tuple[list[Decision], list[Decision]]:
    """Rows to send, numbered after the last; and those that are stopped, with the reason."""
    refused = gate.refused(pending)
    told = gate.words([one for one in pending if one["decision_id"] not in refused])
    rows: list[Decision] = []
    stopped: list[Decision] = []
    for one in pending:
        decision_id = one["decision_id"]
        if decision_id in refused:
            stopped.append(_stopped_as(one, refused[decision_id]))
            continue
        words = told[decision_id]
        if isinstance(words, str):
            stopped.append(_stopped_as(one, Refused("no_content", words)))
        else:
            rows.append(_row(one, words, manifest, last + len(rows) + 1))
    return rows, stopped


def _stopped_as(one: Decision, why: Refused) -> Decision:
    return {**one, "reason": why.reason, "detail": why.detail}


def _row(one: Decision, words: Decision, manifest: Manifest, sequence: int) -> Decision:
    return {
        **{name: one.get(name) for name in ROWS.names},
        **words,
        "sequence": sequence,
        "action": "send",
        # Feed and sequence name a row for ever, so a retry carries the same key.
        "idempotency_key": f"{FEED}-{sequence}",
        "as_of": manifest.as_of,
        "snapshot_id": manifest.snapshot_id,
    }


def _pending(published: Path, ledger_root: Path, manifest: Manifest, gate: Gate) -> list[Decision]:
    """Decisions to send that neither went out nor were stopped, under any name of the profile.

    They must be both published and in the ledger: a build that looks back is published, and what it
    would have sent is not.
    """
    columns = "campaign, step, occurrence_key, profile_id"
    ledger = Ledger(ledger_root / "feeds" / FEED)
    recorded = ledger_root / "campaign_decisions"
    if not any(recorded.glob("*.parquet")):
        return []
    done = [folder for folder in (ledger.intents, _stopped_of(ledger))
            if any(folder.glob("*.parquet"))]  # fmt: skip
    past = " union all ".join(
        f"select {columns} from read_parquet('{folder}/*.parquet')" for folder in done
    )
    table = f"read_parquet('{_decisions(published, manifest)}')"
    nobody = f"select {columns} from {table} where false"
    sent = f"""select {columns} from read_parquet('{recorded}/*.parquet')
        where decision = 'send' and recorded_at <= timestamp '{moment_of(manifest)}'"""
    decided = f"from {table} where decision = 'send'"
    cursor = gate.connection.execute(
        f"""with done as ({_by_their_name_now(past or nobody)}),
        recorded as ({_by_their_name_now(sent)}),
        decided as ({_by_their_name_now(decided)})
        select * from decided semi join recorded using ({columns}) anti join done using ({columns})
        order by due_at, campaign, step, occurrence_key, profile_id"""
    )
    names = [one[0] for one in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _by_their_name_now(rows: str) -> str:
    """A query's rows, with the profiles' names of today."""
    return f"""select past.* replace (coalesce(aliases.profile_id, past.profile_id) as profile_id)
        from ({rows}) as past left join aliases on past.profile_id = aliases.alias_profile_id"""


def _stopped_of(ledger: Ledger) -> Path:
    return ledger.intents.parent / STOPPED


def moment_of(manifest: Manifest) -> datetime:
    """A snapshot's as_of, in UTC without a zone."""
    return datetime.fromisoformat(manifest.as_of).replace(tzinfo=None)


def _send_again(feeds: Path, ledger: Ledger, emission_id: str, gate: Gate) -> list[Decision]:
    """Deliver an intent of a dead process; what does not hold any more is told to be cancelled."""
    told: list[Decision] = ledger.intent(emission_id).to_pylist()
    waits = {one["decision_id"]: gate.waits(one) for one in told}
    refused = gate.refused([one for one in told if not waits[one["decision_id"]]])
    cancelled = []
    for one in told:
        wait = waits[one["decision_id"]]
        why = Refused(wait, "when it went out") if wait else refused.get(one["decision_id"])
        if why:
            one |= {"action": "cancel", **dict.fromkeys(_WORDS)}
            cancelled.append(_stopped_as(one, why))
    _stop(ledger, cancelled, gate.now)
    _deliver(feeds, ledger, emission_id, pa.Table.from_pylist(told, schema=ROWS))
    return cancelled


def _stop(ledger: Ledger, stopped: Sequence[Decision], now: datetime) -> None:
    """Write down what will never go out, and why."""
    import duckdb

    if not stopped:
        return
    folder = _stopped_of(ledger)
    rows = [{name: one[name] for name in _NOTED} for one in stopped]
    record = Record(last_record(folder).number + 1, f"{now.replace(tzinfo=None)}")
    with duckdb.connect() as connection:
        connection.register("stopped", pa.Table.from_pylist(rows))
        append(connection, folder, record, "from stopped")


def _deliver(feeds: Path, ledger: Ledger, emission_id: str, rows: pa.Table) -> None:
    files.deliver(feeds / FEED, emission_id, rows)
    sequences = rows["sequence"].to_pylist()
    ledger.acknowledge(
        Acknowledgement(
            emission_id, rows["as_of"][0].as_py(), rows.num_rows, sequences[0], sequences[-1]
        )
    )
