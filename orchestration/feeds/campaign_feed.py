"""The campaign feed: a `send` row for each message that was decided, with its words.

Consent, conversion and pauses are asked again when a row goes out. What does not hold any more is
stopped for good; what is paused waits. A row that was meant to go out when the process died may
have arrived: it is sent again under the same key, or as `cancel` if it does not hold any more.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from orchestration.connectors.destinations import files
from orchestration.feeds.ledger import Acknowledgement, Ledger
from orchestration.publication.append import Record, append, last_record
from orchestration.publication.snapshot import Manifest, manifest_path, newest
from orchestration.resources.settings import Settings

if TYPE_CHECKING:
    from orchestration.campaigns.content.rendering import Message
    from orchestration.campaigns.definitions import Campaigns
    from orchestration.campaigns.recheck import Refused
    from orchestration.segments.world import World

FEED = "campaigns"
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
_STOPPED = ("decision_id", "campaign", "step", "profile_id", "occurrence_key", "reason", "detail")


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


def emit(settings: Settings, now: datetime | None = None) -> Emission:
    """Send what was decided and is not sent yet, after what a dead process left unacknowledged.

    Args:
        settings: where everything is.
        now: the machine's clock, UTC with its zone; left out, it is read.

    Raises:
        WarehouseError: a build writes the warehouse: what holds cannot be asked, so nothing goes.
        CampaignError: policy.yml is wrong, which would change what each campaign does.
    """
    from orchestration.campaigns.definitions import load_campaigns

    ledger = Ledger(settings.ledger / "feeds" / FEED)
    manifest = newest(settings.published)
    open_emissions = ledger.unacknowledged()
    if manifest is None or not (open_emissions or _may_send(settings, manifest)):
        return Emission(None, 0, last_sequence=ledger.last_sequence())
    campaigns = load_campaigns()
    gate = _Gate(settings, campaigns, manifest, now or datetime.now(UTC))
    stopped: list[Decision] = []
    for interrupted in open_emissions:
        stopped += _send_again(settings, ledger, interrupted, gate)
    pending, waiting = gate.not_paused(_pending(settings, ledger, manifest, gate.world))
    rows, refused = gate.rows(pending, manifest, ledger.last_sequence())
    _stop(ledger, refused, gate.now)
    emission_id: str | None = None
    if rows:
        emission_id = f"{rows[0]['sequence']:09d}"
        ledger.append_intent(emission_id, pa.Table.from_pylist(rows, schema=ROWS))
        _deliver(settings, ledger, emission_id, ledger.intent(emission_id))
    reasons = Counter(one["reason"] for one in [*stopped, *refused])
    return Emission(
        emission_id, len(rows), reasons, waiting, tuple(open_emissions), ledger.last_sequence()
    )


def _decisions(settings: Settings, manifest: Manifest) -> Path:
    folder = settings.published / "snapshots" / manifest.snapshot_id
    return folder / "campaign_decisions.parquet"


def _may_send(settings: Settings, manifest: Manifest) -> bool:
    return _decisions(settings, manifest).exists()


class _Gate:
    """What stands between a decision and its emission, at one moment."""

    def __init__(
        self, settings: Settings, campaigns: "Campaigns", manifest: Manifest, now: datetime
    ) -> None:
        from orchestration.campaigns.pauses import paused
        from orchestration.connectors.landing import all_loads
        from orchestration.segments.world import open_world

        self.campaigns, self.now = campaigns, now
        self.world: World = open_world(settings)
        self._paused = paused(settings.ledger)
        self._faults = {fault.name for fault in campaigns.faults}
        is_landed_anew = bool(all_loads(settings.landing) - set(manifest.loads))
        self._known_at = now.replace(tzinfo=None) if is_landed_anew else None
        # As much later than the snapshot's moment as it is later than the snapshot: a build of a
        # past moment is played on its own clock.
        made = datetime.fromtimestamp(
            manifest_path(settings.published, manifest.snapshot_id).stat().st_mtime, UTC
        )
        self._moment = _moment_of(manifest) + max(now - made, timedelta(0))

    def not_paused(self, decisions: Sequence[Decision]) -> tuple[list[Decision], dict[str, int]]:
        """Those of campaigns that go on; how many wait, by reason."""
        waiting: Counter[str] = Counter()
        going = []
        for one in decisions:
            if one["campaign"] in self._paused:
                waiting["paused"] += 1
            elif one["campaign"] in self._faults:
                waiting["at fault"] += 1
            else:
                going.append(one)
        return going, dict(waiting)

    def refused(self, decisions: Sequence[Decision]) -> "dict[str, Refused]":
        """Which do not hold any more."""
        from orchestration.campaigns.recheck import recheck

        return recheck(self.world, self.campaigns, decisions, self._moment, self._known_at)

    def rows(
        self, pending: Sequence[Decision], manifest: Manifest, last: int
    ) -> tuple[list[Decision], list[Decision]]:
        """Rows to send, numbered after the last; and those that are stopped, with the reason."""
        from orchestration.campaigns.content.renderer import load_renderer
        from orchestration.campaigns.messages import messages

        refused = self.refused(pending)
        holding = [one for one in pending if one["decision_id"] not in refused]
        stopped = [
            {**one, "reason": refused[one["decision_id"]].reason,
             "detail": refused[one["decision_id"]].detail}
            for one in pending if one["decision_id"] in refused
        ]  # fmt: skip
        told = (
            messages(self.world.connection, load_renderer(campaigns=self.campaigns), holding)
            if holding
            else {}
        )
        rows: list[Decision] = []
        for one in holding:
            message = told[one["decision_id"]]
            if isinstance(message, str):
                stopped.append({**one, "reason": "no_content", "detail": message})
            else:
                rows.append(_row(one, message, manifest, last + len(rows) + 1))
        return rows, stopped


def _row(one: Decision, message: "Message", manifest: Manifest, sequence: int) -> Decision:
    return {
        **{name: one.get(name) for name in ROWS.names},
        **{name: getattr(message, name) for name in _WORDS},
        "sequence": sequence,
        "action": "send",
        # Feed and sequence name a row for ever, so a retry carries the same key.
        "idempotency_key": f"{FEED}-{sequence}",
        "as_of": manifest.as_of,
        "snapshot_id": manifest.snapshot_id,
    }


def _pending(
    settings: Settings, ledger: Ledger, manifest: Manifest, world: "World"
) -> list[Decision]:
    """Decisions to send that neither went out nor were stopped, under any name of the profile.

    They must be both published and in the ledger: a build that looks back is published, and what it
    would have sent is not.
    """
    columns = "campaign, step, occurrence_key, profile_id"
    recorded = settings.ledger / "campaign_decisions"
    if not any(recorded.glob("*.parquet")):
        return []
    done = [folder for folder in (ledger.intents, _stopped_of(ledger))
            if any(folder.glob("*.parquet"))]  # fmt: skip
    past = " union all ".join(
        f"select {columns} from read_parquet('{folder}/*.parquet')" for folder in done
    )
    published = f"read_parquet('{_decisions(settings, manifest)}')"
    nobody = f"select {columns} from {published} where false"
    sent = f"""select {columns} from read_parquet('{recorded}/*.parquet')
        where decision = 'send' and recorded_at <= timestamp '{_moment_of(manifest)}'"""
    decided = f"from {published} where decision = 'send'"
    cursor = world.connection.execute(
        f"""with aliases as (from warehouse.intermediate.int_identity_aliases),
        done as ({_by_their_name_now(past or nobody)}),
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
    return ledger.intents.parent / "stopped"


def _moment_of(manifest: Manifest) -> datetime:
    return datetime.fromisoformat(manifest.as_of).replace(tzinfo=None)


def _send_again(
    settings: Settings, ledger: Ledger, emission_id: str, gate: _Gate
) -> list[Decision]:
    """Deliver an intent of a dead process; what does not hold any more is told to be cancelled."""
    told: list[Decision] = ledger.intent(emission_id).to_pylist()
    refused = gate.refused([one for one in told if one["campaign"] not in gate.campaigns.faults])
    going, _ = gate.not_paused(told)
    held = {one["decision_id"] for one in told} - {one["decision_id"] for one in going}
    cancelled = []
    for one in told:
        if one["decision_id"] in refused or one["decision_id"] in held:
            one |= {"action": "cancel", **dict.fromkeys(_WORDS)}
            why = refused.get(one["decision_id"])
            cancelled.append({**one, "reason": why.reason if why else "paused",
                              "detail": why.detail if why else "when it went out"})  # fmt: skip
    _stop(ledger, cancelled, gate.now)
    _deliver(settings, ledger, emission_id, pa.Table.from_pylist(told, schema=ROWS))
    return cancelled


def _stop(ledger: Ledger, stopped: Sequence[Decision], now: datetime) -> None:
    """Write down what will never go out, and why."""
    import duckdb

    if not stopped:
        return
    folder = _stopped_of(ledger)
    rows = [{name: one[name] for name in _STOPPED} for one in stopped]
    record = Record(last_record(folder).number + 1, f"{now.replace(tzinfo=None)}")
    with duckdb.connect() as connection:
        connection.register("stopped", pa.Table.from_pylist(rows))
        append(connection, folder, record, "from stopped")


def _deliver(settings: Settings, ledger: Ledger, emission_id: str, rows: pa.Table) -> None:
    files.deliver(settings.feeds / FEED, emission_id, rows)
    sequences = rows["sequence"].to_pylist()
    ledger.acknowledge(
        Acknowledgement(
            emission_id, rows["as_of"][0].as_py(), rows.num_rows, sequences[0], sequences[-1]
        )
    )
