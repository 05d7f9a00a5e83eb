"""Why somebody got a message of a campaign, or none: from the decisions that are in the ledger.

Belongs here: what is looked up, and what a reason means in words. How it is shown is
show_explain.py.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from orchestration.campaigns.definitions import Campaigns, Defined
from orchestration.campaigns.people import dicts, newest_moment, person_of
from orchestration.feeds.campaign_feed import STOPPED
from orchestration.feeds.definitions import load_feeds
from orchestration.feeds.emitted import ledger_of
from orchestration.resources.settings import Settings
from orchestration.resources.warehouse import open_to_read

if TYPE_CHECKING:
    import duckdb

Fate = dict[tuple[str, str, str], str]
DECIDED = "campaigns.campaign_decided"
_COLUMNS = (
    "decision_id, step, occurrence_key, decision, reason, variant, is_holdout, version, priority, "
    "channel, recipient_id, occurred_at, due_at, expires_at, decided_at, send_at, gates, caps, "
    "payload, event_ids"
)
# What takes a place in a cap, and what the place of a group.
_SENT = "decision = 'send'"
_ENTITLED = (
    "decision = 'send' or reason in ('holdout', 'frequency_cap', 'scheduled', 'quiet_hours')"
)
_WAITS = {
    "scheduled": "the hour that it is meant for", "quiet_hours": "the end of the quiet hours",
}  # fmt: skip


@dataclass(frozen=True)
class Gate:
    """One gate of a decision: what it looked at, and whether it failed."""

    name: str
    fails: bool
    detail: str


@dataclass(frozen=True)
class CapState:
    """One cap: messages that counted before, of so many in a window."""

    scope: str
    within: str
    most: int
    used: int


@dataclass(frozen=True)
class Event:
    """One of the events that made a candidate."""

    event_id: str
    name: str
    occurred_at: datetime
    about: str


@dataclass(frozen=True)
class Decided:
    """One decision.

    `because` is the reason in words, `before` what was decided of it earlier, `after` what became
    of a message in the feed.
    """

    step: str
    occurrence_key: str
    decision: str
    reason: str
    because: str
    variant: str | None
    is_holdout: bool
    version: str
    priority: int
    occurred_at: datetime
    due_at: datetime
    expires_at: datetime | None
    decided_at: datetime
    send_at: datetime | None
    gates: tuple[Gate, ...]
    caps: tuple[CapState, ...]
    payload: Any
    events: tuple[Event, ...]
    before: tuple[str, ...]
    after: str


@dataclass(frozen=True)
class Explanation:
    """A campaign's decisions about a profile, the newest first; `none_because` if there is none."""

    campaign: str
    profile_id: str
    as_of: datetime
    version: str | None
    about: tuple[str, ...]
    decisions: tuple[Decided, ...]
    none_because: str

    def as_json(self) -> str:
        """All of it; times in ISO 8601, UTC."""
        return json.dumps(asdict(self), default=datetime.isoformat, indent=2)


def explain_decision(
    settings: Settings, campaigns: Campaigns, name: str, profile: str
) -> Explanation:
    """What a campaign decided about a profile, and why.

    Args:
        settings: where the warehouse is.
        campaigns: as their files are now.
        name: of the campaign; one that is gone has its decisions still.
        profile: a profile id, one of the past, or any identifier.

    Raises:
        CampaignError: there is no such campaign, and never was.
        NotExplainedError: nobody, or several, are meant.
        WarehouseError: nothing is built yet, or a build writes it.
    """
    with open_to_read(settings.warehouse, DECIDED) as connection:
        person, about = person_of(connection, profile)
        fate = fate_of(connection, settings, person)
        decisions = tuple(decisions_of(connection, name, person, fate))
        defined = campaigns.defined.get(name)
        if not decisions:
            campaigns.of(name)
        elif defined is None:
            about += (f"{name} is no campaign now; its decisions are those of the past",)
        none = "" if decisions or not defined else why_none(connection, defined, person)
        version = defined.version if defined else None
        as_of = newest_moment(connection)
    return Explanation(name, person, as_of, version, about, decisions, none)


def fate_of(connection: "duckdb.DuckDBPyConnection", settings: Settings, person: str) -> Fate:
    """What the feed says of somebody's messages, by campaign, step and occurrence."""
    names = connection.execute(
        """select list(alias_profile_id) from intermediate.int_identity_aliases
        where profile_id = ?""",
        [person],
    ).fetchone()
    everybody = [person, *((names and names[0]) or [])]
    found: Fate = {}
    for feed in load_feeds().values():
        if feed.settings.of != "campaigns":
            continue
        ledger = ledger_of(feed, settings.ledger)
        stopped = ledger.folder / STOPPED
        for rows, words in (
            (ledger.history(), f"'it went out in feed {feed.name}, as ' || idempotency_key"),
            (f"read_parquet('{stopped}/*.parquet')" if any(stopped.glob("*.parquet")) else None,
             "'stopped when it was to go out: ' || reason || ', ' || detail"),
        ):  # fmt: skip
            if rows:
                told = connection.execute(
                    f"""select campaign, step, occurrence_key, {words} from {rows}
                    where profile_id in (select unnest(?::varchar[]))""",
                    [everybody],
                ).fetchall()
                found |= {row[:3]: row[3] for row in told}
    return found


def decisions_of(
    connection: "duckdb.DuckDBPyConnection", name: str, person: str, fate: Fate
) -> Iterator[Decided]:
    """A campaign's decisions about a profile, the newest first."""
    rows = dicts(
        connection,
        f"""select {_COLUMNS} from {DECIDED} where campaign = ? and profile_id = ?
        order by decided_at desc, due_at desc, step_place desc, occurrence_key""",
        [name, person],
    )
    for row in rows:
        events = tuple(_events(connection, row.pop("event_ids") or []))
        gates = tuple(Gate(one["gate"], one["fails"], one["detail"]) for one in row.pop("gates"))
        caps = tuple(
            CapState(one["scope"], _window(one["within"]), one["most"], one["used"])
            for one in row.pop("caps")
        )
        because = _because(connection, row, gates, caps)
        before = tuple(_before(connection, row.pop("decision_id"), row["decided_at"]))
        payload = json.loads(row.pop("payload") or "{}")
        after = fate.get((name, row["step"], row["occurrence_key"]), "")
        if row["decision"] == "send" and not after:
            after = "it has not gone out yet"
        del row["channel"], row["recipient_id"]
        yield Decided(
            **row, because=because, gates=gates, caps=caps, payload=payload, events=events,
            before=before, after=after,
        )  # fmt: skip


def _window(text: str) -> str:
    """`604800 s` as `7 d`."""
    if not text.endswith(" s"):
        return f"a calendar {text}"
    seconds = int(text.removesuffix(" s"))
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds % length == 0:
            return f"{seconds // length} {unit}"
    return text


def _because(
    connection: "duckdb.DuckDBPyConnection",
    row: dict[str, Any],
    gates: Sequence[Gate],
    caps: Sequence[CapState],
) -> str:
    """The reason in words."""
    reason = row["reason"]
    if not reason:
        return "it passed every gate"
    if reason in _WAITS:
        return f"it waits for {_WAITS[reason]}, {row['send_at']:%Y-%m-%d %H:%M}"
    if reason == "frequency_cap":
        full = [one for one in caps if one.used >= one.most]
        told = [f"{one.used} of {one.most} of {one.scope} within {one.within}" for one in full]
        return "; ".join(told) or _taken(connection, row, "filled a cap in the same run", _SENT)
    found = next((one for one in gates if one.name == reason and one.fails), None)
    if found:
        return found.detail
    return _taken(connection, row, "came before it in the same run", _ENTITLED)


def _taken(
    connection: "duckdb.DuckDBPyConnection", row: dict[str, Any], what: str, who: str
) -> str:
    """What else was decided for the same reader in the same run and took its place."""
    names = connection.execute(
        f"""with others as (
            select campaign || case step when 'message' then '' else ', step ' || step end as name
            from {DECIDED}
            where recipient_id = ? and decided_at = ? and decision_id <> ? and priority >= ?
                and ({who})
        )
        select string_agg(distinct name, '; ' order by name) from others""",
        [row["recipient_id"], row["decided_at"], row["decision_id"], row["priority"]],
    ).fetchone()
    return f"{names[0] if names and names[0] else 'another message'} {what}"


def _before(
    connection: "duckdb.DuckDBPyConnection", decision_id: str, newest: datetime
) -> Iterator[str]:
    rows = connection.execute(
        """select decided_at, decision, reason, send_at from ledger.campaign_decisions
        where decision_id = ? and decided_at < ? order by number""",
        [decision_id, newest],
    ).fetchall()
    for at, decision, reason, send_at in rows:
        until = f" until {send_at:%Y-%m-%d %H:%M}" if send_at else ""
        yield f"{at:%Y-%m-%d %H:%M}: {decision} ({reason}){until}"


def _events(connection: "duckdb.DuckDBPyConnection", ids: Sequence[str]) -> Iterator[Event]:
    rows = connection.execute(
        """select event_id, name, occurred_at,
            concat_ws(', ', product_id, category, page_type, element, search_query)
        from intermediate.int_events_resolved where event_id in (select unnest(?::varchar[]))
        order by occurred_at, event_id""",
        [ids],
    ).fetchall()
    yield from (Event(*row) for row in rows)


def why_none(connection: "duckdb.DuckDBPyConnection", defined: Defined, person: str) -> str:
    """Why a campaign has decided nothing about somebody."""
    campaign, as_of = defined.campaign, newest_moment(connection)
    if campaign.start and campaign.start > as_of.date():
        return f"it starts on {campaign.start}"
    if campaign.end and campaign.end <= as_of.date():
        return f"it ended on {campaign.end}"
    audience = campaign.audience
    if audience.trigger:
        row = connection.execute(
            """select max(available_at) from published.trigger_candidates
            where trigger_name = ? and profile_id = ?""",
            [audience.trigger, person],
        ).fetchone()
        if row and row[0]:
            return (
                f"{audience.trigger} came up at {row[0]:%Y-%m-%d %H:%M}, and no step is due yet or "
                "the campaign began later"
            )
        return f"trigger {audience.trigger} has no candidate of it"
    row = connection.execute(
        """select 1 from published.segment_memberships where segment = ? and profile_id = ?""",
        [audience.segment, person],
    ).fetchone()
    if row:
        return f"it is in {audience.segment}, and nothing has come due since it entered"
    return (
        f"it is not in {audience.segment}; see muster segment explain {audience.segment} {person}"
    )
