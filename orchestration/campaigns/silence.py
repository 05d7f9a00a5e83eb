"""Why somebody got nothing from any campaign, or what it got last."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from orchestration.campaigns.definitions import Campaigns
from orchestration.campaigns.explain import (
    DECIDED,
    Fate,
    decisions_of,
    fate_of,
    why_none,
)
from orchestration.campaigns.people import newest_moment, person_of
from orchestration.resources.settings import Settings
from orchestration.resources.warehouse import open_to_read

if TYPE_CHECKING:
    import duckdb

_CHANNELS = ("email", "sms", "push", "onsite")


@dataclass(frozen=True)
class Reach:
    """Whether somebody can be written to in a channel: contact point, consent, what stops it."""

    channel: str
    is_reachable: bool
    consent: str
    stop: str


@dataclass(frozen=True)
class Quiet:
    """What a campaign decided about somebody: how often what, and the newest reason in words."""

    campaign: str
    channel: str
    outcomes: dict[str, int]
    newest: datetime | None
    because: str


@dataclass(frozen=True)
class Silence:
    """Why somebody got nothing, or what it got last."""

    profile_id: str
    as_of: datetime
    about: tuple[str, ...]
    last_message: str
    reach: tuple[Reach, ...]
    campaigns: tuple[Quiet, ...]

    def as_json(self) -> str:
        """All of it; times in ISO 8601, UTC."""
        return json.dumps(asdict(self), default=datetime.isoformat, indent=2)


def explain_silence(settings: Settings, campaigns: Campaigns, profile: str) -> Silence:
    """Why a profile got nothing from any campaign.

    Raises:
        NotExplainedError: nobody, or several, are meant.
        WarehouseError: nothing is built yet, or a build writes it.
    """
    with open_to_read(settings.warehouse, DECIDED) as connection:
        person, about = person_of(connection, profile)
        return Silence(
            person,
            newest_moment(connection),
            about + _same_mailbox(connection, person),
            _last_message(connection, person),
            tuple(_reach(connection, person)),
            tuple(_quiet(connection, campaigns, person, fate_of(connection, settings, person))),
        )


def _same_mailbox(connection: "duckdb.DuckDBPyConnection", person: str) -> tuple[str, ...]:
    rows = connection.execute(
        """select others.profile_id from intermediate.int_profile_recipients as own
        inner join intermediate.int_profile_recipients as others using (recipient_id)
        where own.profile_id = ? and others.profile_id <> ? order by 1""",
        [person, person],
    ).fetchall()
    if not rows:
        return ()
    names = ", ".join(row[0] for row in rows)
    return (f"{names} read the same mailbox or phone: caps and pauses count for all of them",)


def _last_message(connection: "duckdb.DuckDBPyConnection", person: str) -> str:
    row = connection.execute(
        f"""select campaign, step, channel, send_at from {DECIDED}
        where profile_id = ? and decision = 'send' order by send_at desc, campaign limit 1""",
        [person],
    ).fetchone()
    if row is None:
        return "nothing was ever sent to it"
    campaign, step, channel, at = row
    step = "" if step == "message" else f", step {step}"
    return f"the last message was {campaign}{step}, by {channel}, at {at:%Y-%m-%d %H:%M}"


def _reach(connection: "duckdb.DuckDBPyConnection", person: str) -> Iterator[Reach]:
    as_of = newest_moment(connection)
    for channel in _CHANNELS:
        reachable = connection.execute(
            """select 1 from intermediate.int_profile_channels
            where profile_id = ? and channel = ?""",
            [person, channel],
        ).fetchone()
        consent = connection.execute(
            """select max_by(status, changed_at) || ' at '
                || strftime(max(changed_at), '%Y-%m-%d %H:%M')
            from intermediate.int_consent_changes
            where profile_id = ? and channel = ? and changed_at <= ?""",
            [person, channel, as_of],
        ).fetchone()
        stop = connection.execute(
            """select string_agg(kind || ' at ' || strftime(stopped_at, '%Y-%m-%d %H:%M'), ', '
                order by kind)
            from intermediate.int_contact_stops
            where profile_id = ? and channel = ? and stopped_at <= ?
                and (ended_at is null or ended_at > ?)""",
            [person, channel, as_of, as_of],
        ).fetchone()
        said = "needs none" if channel == "onsite" else "no record"
        yield Reach(
            channel,
            reachable is not None,
            (consent and consent[0]) or said,
            (stop and stop[0]) or "",
        )


def _quiet(
    connection: "duckdb.DuckDBPyConnection", campaigns: Campaigns, person: str, fate: Fate
) -> Iterator[Quiet]:
    for name, defined in sorted(campaigns.defined.items()):
        decisions = list(decisions_of(connection, name, person, fate))
        outcomes: dict[str, int] = {}
        for one in decisions:
            what = "sent" if one.decision == "send" else one.reason
            outcomes[what] = outcomes.get(what, 0) + 1
        if decisions:
            # What waits still is the answer, whatever was decided beside it.
            newest = next((one for one in decisions if one.decision == "hold"), decisions[0])
            because = newest.because
        else:
            because = why_none(connection, defined, person)
        yield Quiet(
            name,
            defined.campaign.channel,
            outcomes,
            decisions[0].decided_at if decisions else None,
            because,
        )
