"""The campaign feed: a `send` row for each message that was decided, with its words.

Consent, conversion and pauses are asked again when a row goes out. What does not hold any more is
stopped for good; what is paused waits. A row that was meant to go out when the process died may
have arrived: it is sent again under the same key, or as `cancel` if it does not hold any more.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from orchestration.feeds.definitions import Feed
from orchestration.feeds.delivery import Delivery, opened, send
from orchestration.feeds.emitted import Emitted, ledger_of, moment_of, state_of
from orchestration.feeds.erasures import erased
from orchestration.feeds.ledger import Header, Ledger, with_keys
from orchestration.feeds.refused import Refusal, refusals, rows_to_retry, settle
from orchestration.feeds.state import tidy
from orchestration.feeds.words import paused
from orchestration.publication.append import append_rows
from orchestration.publication.manifest import snapshot_folder
from orchestration.publication.snapshot import Manifest, newest
from orchestration.publication.verify import check_tables

if TYPE_CHECKING:
    import duckdb

STOPPED = "stopped"  # the folder of what will never go out, in the feed's ledger
Decision = dict[str, Any]

ROWS = pa.schema(
    [("sequence", pa.int64()), ("action", pa.string()),
     ("campaign", pa.string()), ("step", pa.string()), ("variant", pa.string()),
     ("channel", pa.string()), ("profile_id", pa.string()), ("occurrence_key", pa.string()),
     ("subject", pa.string()), ("preview", pa.string()), ("body", pa.string()),
     ("locale", pa.string()), ("version", pa.string()), ("decision_id", pa.string()),
     ("occurred_at", pa.timestamp("us")), ("due_at", pa.timestamp("us")),
     ("expires_at", pa.timestamp("us")), ("as_of", pa.string()), ("snapshot_id", pa.string()),
     ("idempotency_key", pa.string())]
)  # fmt: skip
_DECISIONS = "campaign_decisions"
_WORDS = ("subject", "preview", "body", "locale")
_NOTED = ("decision_id", "campaign", "step", "profile_id", "occurrence_key", "reason", "detail")


@dataclass(frozen=True)
class Refused:
    """Why a decision to send does not hold any more."""

    reason: str
    detail: str


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
    feed: Feed,
    published: Path,
    ledger_root: Path,
    gate_of: Callable[[Manifest], Gate],
    tell: Callable[[str], None] = print,
) -> Emitted:
    """Send what was decided and is not sent yet, after what a dead process left open.

    Args:
        feed: a feed of campaigns.
        published: the folder of snapshots.
        ledger_root: the ledger's folder.
        gate_of: opens the gate for a snapshot; it is asked only if there is one.
        tell: is told of attempts that failed.

    Raises:
        DeliveryError: the destination took nothing, or not all; the next call goes on there.
        LedgerError: the ledger is damaged, or of another destination.
        SnapshotError: the file of decisions is damaged.
    """
    ledger = ledger_of(feed, ledger_root)
    manifest = newest(published)
    word = paused(ledger.folder)
    if manifest is None or word or not _decisions(published, manifest).exists():
        return Emitted(feed.name, ledger.last_sequence(), paused=word)
    check_tables(published, manifest, (_DECISIONS,))
    gate = gate_of(manifest)
    state = state_of(feed, ledger_root, manifest)
    again, dropped = _to_try_again(ledger, gate)
    repeated, cancelled = _finish(feed, ledger, gate, tell)
    pending, waiting = _ready(_pending(feed, published, ledger_root, manifest, gate), gate)
    gone = set(erased(ledger_root))
    rows, refused = _rows(gate, pending, gone)
    _stop(ledger, [*dropped, *refused], gate.now)
    table = _numbered(feed, rows + _erasures(ledger, gone), manifest, ledger.last_sequence())
    sent = send(feed, ledger, table, again, tell)
    ledger.looked(state, manifest.snapshot_id, len(gone))
    tidy(ledger)
    return Emitted(
        feed.name,
        ledger.last_sequence(),
        sent.header.emission_id if sent.header else None,
        Counter(table["action"].to_pylist()),
        sent.refused,
        sent.retried,
        repeated,
        stopped=Counter(one["reason"] for one in [*dropped, *cancelled, *refused]),
        waiting=waiting,
        snapshot_id=manifest.snapshot_id,
        as_of=manifest.as_of,
    )


def _finish(
    feed: Feed, ledger: Ledger, gate: Gate, tell: Callable[[str], None]
) -> tuple[tuple[str, ...], list[Decision]]:
    """Deliver what is open: the emissions, and messages of theirs that were cancelled instead."""
    still_open = ledger.unacknowledged()
    cancelled: list[Decision] = []
    if still_open:
        with opened(feed, ledger, ROWS.names, tell) as delivery:
            for header in still_open:
                cancelled += _send_again(delivery, ledger, header, gate)
    return tuple(header.emission_id for header in still_open), cancelled


def _to_try_again(ledger: Ledger, gate: Gate) -> tuple[list[Refusal], list[Decision]]:
    """Refused rows to try again; and messages among them that do not hold any more.

    A message that was refused has not gone out, so all is asked again that is asked of a new one.
    """
    waiting, rows = rows_to_retry(ledger, refusals(ledger.folder, ("waiting",)))
    if rows is None:
        return [], []
    messages = {row["sequence"]: row for row in rows.to_pylist() if row["action"] == "send"}
    paused_ones = {number for number, row in messages.items() if gate.waits(row)}
    asked = [row for number, row in messages.items() if number not in paused_ones]
    refused = gate.refused(asked)
    dropped = [
        _stopped_as(row, refused[row["decision_id"]])
        for row in asked
        if row["decision_id"] in refused
    ]
    over = {row["sequence"] for row in dropped}
    settle(ledger.folder, [one for one in waiting if one.sequence in over], "stopped")
    return [one for one in waiting if one.sequence not in over | paused_ones], dropped


def _ready(pending: Sequence[Decision], gate: Gate) -> tuple[list[Decision], Counter[str]]:
    """What can go out now, and how many wait, by reason."""
    ready, waiting = [], Counter[str]()
    for one in pending:
        if reason := gate.waits(one):
            waiting[reason] += 1
        else:
            ready.append(one)
    return ready, waiting


def _decisions(published: Path, manifest: Manifest) -> Path:
    return snapshot_folder(published, manifest.snapshot_id) / f"{_DECISIONS}.parquet"


def _rows(
    gate: Gate, pending: Sequence[Decision], gone: set[str]
) -> tuple[list[Decision], list[Decision]]:
    """Rows to send; and those that are stopped, with the reason."""
    refused = dict(gate.refused(pending))
    for one in pending:
        if one["profile_id"] in gone:
            refused[one["decision_id"]] = Refused("erased", "the person is to be erased")
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
            rows.append({**{name: one.get(name) for name in ROWS.names}, **words, "action": "send"})
    return rows, stopped


def _erasures(ledger: Ledger, gone: set[str]) -> list[Decision]:
    """A row for each message that once went out to somebody who is to be erased."""
    history = ledger.history()
    if not gone or history is None:
        return []
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("create table gone as select unnest(?) as profile_id", [sorted(gone)])
        rows: list[Decision] = connection.execute(
            f"""select * from {history} semi join gone using (profile_id)
            qualify row_number() over (partition by decision_id order by sequence desc) = 1
                and action <> 'erase' order by sequence"""
        ).to_arrow_table().to_pylist()  # fmt: skip
    return [{**row, **dict.fromkeys(_WORDS), "action": "erase"} for row in rows]


def _numbered(feed: Feed, rows: list[Decision], manifest: Manifest, last: int) -> pa.Table:
    """Rows as they go out, numbered after the last."""
    said = {"as_of": manifest.as_of, "snapshot_id": manifest.snapshot_id}
    numbered = [{**row, **said, "sequence": last + n} for n, row in enumerate(rows, start=1)]
    table = pa.Table.from_pylist(numbered, schema=ROWS)
    return with_keys(feed.name, table.drop_columns(["idempotency_key"]))


def _stopped_as(one: Decision, why: Refused) -> Decision:
    return {**one, "reason": why.reason, "detail": why.detail}


def _pending(
    feed: Feed, published: Path, ledger_root: Path, manifest: Manifest, gate: Gate
) -> list[Decision]:
    """Decisions to send that neither went out nor were stopped, under any name of the profile.

    They must be both published and in the ledger: a build that looks back is published, and what it
    would have sent is not.
    """
    columns = "campaign, step, occurrence_key, profile_id"
    ledger = ledger_of(feed, ledger_root)
    recorded = ledger_root / "campaign_decisions"
    if not any(recorded.glob("*.parquet")):
        return []
    done = [history] if (history := ledger.history()) else []
    if any(_stopped_of(ledger).glob("*.parquet")):
        done.append(f"read_parquet('{_stopped_of(ledger)}/*.parquet')")
    past = " union all ".join(f"select {columns} from {rows}" for rows in done)
    table = f"read_parquet('{_decisions(published, manifest)}')"
    nobody = f"select {columns} from {table} where false"
    sent = f"""select {columns} from read_parquet('{recorded}/*.parquet')
        where decision = 'send' and recorded_at <= timestamp '{moment_of(manifest)}'"""
    decided = f"from {table} where decision = 'send'"
    if feed.settings.channels:
        decided += f" and channel in {list(feed.settings.channels)}"
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
    return ledger.folder / STOPPED


def _send_again(delivery: Delivery, ledger: Ledger, emission: Header, gate: Gate) -> list[Decision]:
    """Deliver an intent of a dead process; what does not hold any more is told to be cancelled."""
    rows = ledger.rows(emission)
    told: list[Decision] = rows.to_pylist()
    # What has arrived went out, whatever holds now.
    arrived = delivery.arrived(emission)
    fresh = [one for one in told if one["action"] == "send" and one["sequence"] > arrived]
    waits = {one["decision_id"]: gate.waits(one) for one in fresh}
    refused = gate.refused([one for one in fresh if not waits[one["decision_id"]]])
    cancelled = []
    for one in fresh:
        wait = waits[one["decision_id"]]
        why = Refused(wait, "when it went out") if wait else refused.get(one["decision_id"])
        if why:
            one |= {"action": "cancel", **dict.fromkeys(_WORDS)}
            cancelled.append(_stopped_as(one, why))
    _stop(ledger, cancelled, gate.now)
    delivery.emission(emission, pa.Table.from_pylist(told, schema=rows.schema))
    return cancelled


def _stop(ledger: Ledger, stopped: Sequence[Decision], now: datetime) -> None:
    """Write down what will never go out, and why."""
    append_rows(_stopped_of(ledger), [{name: one[name] for name in _NOTED} for one in stopped], now)
