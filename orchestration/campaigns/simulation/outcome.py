"""What a simulation comes to, counted: what became of candidates, when was sent, to whom how often.

How it is shown is show.py and page.py.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from orchestration.campaigns.simulation.rounds import Span
from orchestration.segments.world import World

SENT, WAITS = "sent", "waits"  # outcomes beside the reasons of what was suppressed
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Outcome:
    """One version's.

    Attributes:
        outcomes: candidates of each campaign by `sent`, `waits` or the reason of suppression.
        days: messages of each campaign by UTC day, all days of the span.
        hours: messages of each campaign by hour of the day in the profile's time, 24 of them.
        people: profiles that got at least one message of each campaign.
        messages: how many recipients got how many messages of all campaigns together.
        most_in_a_week: the most that any recipient got within seven days.
    """

    outcomes: Mapping[str, Mapping[str, int]]
    days: Mapping[str, Mapping[date, int]]
    hours: Mapping[str, list[int]]
    people: Mapping[str, int]
    messages: Mapping[int, int]
    most_in_a_week: int

    def sent(self, campaign: str) -> int:
        """Messages of a campaign."""
        return self.outcomes.get(campaign, {}).get(SENT, 0)

    @property
    def all_sent(self) -> int:
        """Messages of all campaigns."""
        return sum(map(self.sent, self.outcomes))

    @property
    def all_days(self) -> dict[date, int]:
        """Messages of all campaigns by day."""
        return _added(self.days)

    @property
    def reached(self) -> int:
        """Recipients of at least one message."""
        return sum(self.messages.values())


@dataclass(frozen=True)
class Simulation:
    """A campaign over a span; `there` is what a change would make of it, which `change` tells."""

    campaign: str
    span: Span
    notes: tuple[str, ...]
    here: Outcome
    there: Outcome | None = None
    change: str = ""

    def as_json(self) -> str:
        """All of it; times in ISO 8601, UTC."""
        told = asdict(self)
        told["span"] = {
            "from": self.span.begin,
            "to": self.span.end,
            "every_seconds": self.span.every.total_seconds(),
        }
        for one in ("here", "there"):
            if told[one]:
                told[one]["days"] = {
                    name: {f"{day}": count for day, count in days.items()}
                    for name, days in told[one]["days"].items()
                }
        return json.dumps(told, default=datetime.isoformat, indent=2)


def _added(days: Mapping[str, Mapping[date, int]]) -> dict[date, int]:
    added: dict[date, int] = {}
    for each in days.values():
        for day, count in each.items():
            added[day] = added.get(day, 0) + count
    return added


def outcome(world: World, span: Span) -> Outcome:
    """What `simulated.decisions` holds, counted."""
    connection = world.connection
    traits = world.renderer.relation("profile_traits")
    hour = world.renderer.call("local_time", "sends.send_at", "traits.local_timezone")
    campaigns = [
        name
        for (name,) in connection.execute(
            f"""select campaign from {world.renderer.relation("campaign_definitions")}
            where fault is null union select campaign from simulated.decisions order by 1"""
        ).fetchall()
    ]
    connection.execute(
        """create or replace temp table sends as
        select campaign, profile_id, recipient_id, send_at from simulated.decisions
        where decision = 'send'"""
    )
    ended = connection.execute(
        f"""select campaign, case decision when 'send' then '{SENT}' when 'hold' then '{WAITS}'
            else reason end as outcome, count(*)
        from (
            select campaign, unnest(max_by({{'decision': decision, 'reason': reason}}, decided_at))
            from simulated.decisions group by campaign, decision_id
        ) group by all order by all"""
    ).fetchall()
    by_day = connection.execute(
        "select campaign, send_at::date, count(*) from sends group by all"
    ).fetchall()
    by_hour = connection.execute(
        f"""select campaign, hour({hour}), count(*)
        from sends inner join {traits} as traits using (profile_id) group by all"""
    ).fetchall()
    people = connection.execute(
        "select campaign, count(distinct profile_id) from sends group by all"
    ).fetchall()
    messages = connection.execute(
        """select messages, count(*) from (
            select count(*) as messages from sends group by recipient_id
        ) group by messages order by messages"""
    ).fetchall()
    within = connection.execute(
        f"""select max(messages) from (
            select count(*) over (
                partition by recipient_id order by send_at
                range between interval {_WEEK.days} days preceding and current row
            ) as messages from sends
        )"""
    ).fetchone()
    count = (span.end.date() - span.begin.date()).days + 1
    every_day = [span.begin.date() + timedelta(days=number) for number in range(count)]
    days = {name: dict.fromkeys(every_day, 0) for name in campaigns}
    hours = {name: [0] * 24 for name in campaigns}
    outcomes: dict[str, dict[str, int]] = {name: {} for name in campaigns}
    for name, day, number in by_day:
        days[name][day] = number
    for name, at, number in by_hour:
        hours[name][at] = number
    for name, ending, number in ended:
        outcomes[name][ending] = number
    return Outcome(outcomes, days, hours, dict(people), dict(messages), (within and within[0]) or 0)
