"""Small worlds of campaigns, and every decision of them in plain Python: slow and obvious.

The rules are those of docs/campaigns.md; nothing of the models' SQL is used. Times are UTC without
a zone, at whole minutes.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from orchestration.campaigns.fields import Campaign, Policy

MINUTE = timedelta(minutes=1)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1),
          "w": timedelta(weeks=1)}  # fmt: skip


@dataclass(frozen=True)
class Occurrence:
    """A candidate of a trigger, and the number of the run from which on it is known."""

    trigger: str
    profile: str
    key: str
    occurred_at: datetime
    available_at: datetime
    expires_at: datetime
    known_from: int = 0


@dataclass(frozen=True)
class Stay:
    """A time in a segment."""

    segment: str
    profile: str
    entered_at: datetime
    exited_at: datetime | None


@dataclass(frozen=True)
class Facts:
    """What is known of the people."""

    zones: Mapping[str, str]
    preferred_hours: Mapping[str, int | None]
    mailboxes: Mapping[str, str | None]
    consents: Sequence[tuple[str, str, datetime, str]]  # profile, channel, when, status
    stops: Sequence[tuple[str, str, datetime, datetime | None]]  # profile, channel, from, to
    conversions: Sequence[tuple[str, str, datetime]]  # profile, event, when
    occurrences: Sequence[Occurrence]
    stays: Sequence[Stay]


@dataclass(frozen=True)
class Run:
    """One build: its moment, who means whom by now, and which campaigns are paused."""

    moment: datetime
    aliases: Mapping[str, str]
    paused: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Decision:
    """What became of a candidate."""

    decision: str
    reason: str
    send_at: datetime | None
    decided_at: datetime
    scopes: tuple[str, ...]
    profile: str
    key: tuple[str, str, str]  # campaign, step, occurrence
    number: int  # of the run

    @property
    def told(self) -> tuple[object, ...]:
        """What a consumer sees."""
        return self.decision, self.reason, self.send_at, self.decided_at


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def local(moment: datetime, zone: str) -> datetime:
    """What the clocks show."""
    return moment.replace(tzinfo=UTC).astimezone(_zone(zone)).replace(tzinfo=None)


def moment_of(shown: str, zone: str) -> datetime:
    """When clocks show a time that they show once."""
    there = datetime.fromisoformat(shown).replace(tzinfo=_zone(zone))
    return there.astimezone(UTC).replace(tzinfo=None)


def duration(text: str) -> timedelta:
    """Of `15m`, `24h` or `7d`."""
    return int(text[:-1]) * _UNITS[text[-1]]


def is_quiet(moment: datetime, zone: str, begin: str, end: str) -> bool:
    """Whether the clocks show a time of the quiet hours."""
    now = f"{local(moment, zone):%H:%M}"
    return begin <= now < end if begin < end else now >= begin or now < end


def first_loud(moment: datetime, zone: str, begin: str, end: str) -> datetime:
    """The first minute outside of the quiet hours."""
    while is_quiet(moment, zone, begin, end):
        moment += MINUTE
    return moment


def next_at(moment: datetime, zone: str, clock: str) -> datetime:
    """The first minute, from this one on, at which clocks show the time or have jumped past it."""
    shown = local(moment, zone)
    hour, minute = map(int, clock.split(":"))
    wanted = shown.replace(hour=hour, minute=minute)
    if wanted < shown:
        wanted += timedelta(days=1)
    while not wanted <= local(moment, zone) < wanted + timedelta(hours=4):
        moment += MINUTE
    return moment


def unit(text: str) -> float:
    """The first 52 bits of the MD5, as a number below 1."""
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return int(digest[:13], 16) / 2**52


def period_start(moment: datetime, zone: str, period: str) -> datetime:
    """The local start of the day, week or month."""
    day = local(moment, zone).replace(hour=0, minute=0)
    if period == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period == "month" else day


@dataclass
class Simulator:
    """Runs one after the other; `ledger` is what was decided, by candidate."""

    campaigns: Mapping[str, Campaign]
    policy: Policy
    facts: Facts
    ledger: dict[tuple[str, str, str, str], Decision] = field(default_factory=dict)

    def run(self, number: int, run: Run) -> dict[tuple[str, str, str, str], Decision]:
        """Decisions after a run, by campaign, step, profile of today and occurrence."""
        merged: dict[tuple[str, str, str, str], Decision] = {}
        for key, said in sorted(self.ledger.items(), key=_counts_first):
            campaign, step, profile, occurrence = key
            merged.setdefault((campaign, step, run.aliases.get(profile, profile), occurrence), said)
        due = self._due(number, run, merged)
        queues: dict[str, list[_Candidate]] = {}
        for one in due:
            queues.setdefault(self._recipient(one.profile, run), []).append(one)
        decided = dict(merged)
        for recipient, queue in queues.items():
            taken: list[Decision] = []
            groups: set[str] = set()
            for one in sorted(queue, key=lambda c: c.order(self.campaigns[c.campaign])):
                said = self._decide(one, run, number, merged, taken, groups, recipient)
                decided[one.key] = said
                if said.decision == "send":
                    taken.append(said)
                campaign = self.campaigns[one.campaign]
                if campaign.group and said.reason in _ENTITLED:
                    groups.add(campaign.group)
        self.ledger |= decided
        return decided

    def _due(
        self, number: int, run: Run, known: Mapping[tuple[str, str, str, str], Decision]
    ) -> list["_Candidate"]:
        found = {}
        for one in self._candidates(number, run):
            before = known.get(one.key)
            waits = before and before.decision == "hold" and before.send_at
            if one.due_at <= run.moment and (before is None or (waits and waits <= run.moment)):
                found[one.key] = one
        return list(found.values())

    def _candidates(self, number: int, run: Run) -> list["_Candidate"]:
        made = []
        for name, campaign in self.campaigns.items():
            steps = [(s.name, duration(s.after)) for s in campaign.steps or []]
            for place, (step, after) in enumerate(steps or [("message", timedelta(0))]):
                for one in self.facts.occurrences:
                    # An occurrence is the profile's by which it is called now.
                    profile = run.aliases.get(one.profile, one.profile)
                    if one.trigger == campaign.audience.trigger and one.known_from <= number:
                        due_at = max(one.available_at, one.occurred_at + after)
                        made.append(
                            _Candidate(name, step, place, profile, one.key, one.occurred_at, due_at,
                                       one.expires_at)
                        )  # fmt: skip
                for stay in self.facts.stays:
                    is_somebody = stay.profile not in run.aliases
                    of_it = is_somebody and stay.segment == campaign.audience.segment
                    if of_it and stay.entered_at <= run.moment:
                        made.append(
                            _Candidate(name, step, place, stay.profile, "once", stay.entered_at,
                                       stay.entered_at + after, None)
                        )  # fmt: skip
        return made

    def _recipient(self, profile: str, run: Run) -> str:
        mailbox = self.facts.mailboxes[profile]
        living = set(self.facts.mailboxes) - set(run.aliases)
        same = [p for p in living if mailbox and self.facts.mailboxes[p] == mailbox]
        return min([*same, profile])

    def _sends(
        self, known: Mapping[tuple[str, str, str, str], Decision], recipient: str, run: Run
    ) -> list[Decision]:
        return [
            said
            for key, said in known.items()
            if said.decision == "send" and self._recipient(key[2], run) == recipient
        ]

    def _decide(
        self,
        one: "_Candidate",
        run: Run,
        number: int,
        known: Mapping[tuple[str, str, str, str], Decision],
        taken: list[Decision],
        groups: set[str],
        recipient: str,
    ) -> Decision:
        campaign = self.campaigns[one.campaign]
        scopes = (
            "all",
            f"channel:{campaign.channel}",
            f"campaign:{one.campaign}",
            *(f"tag:{tag}" for tag in sorted(set(campaign.tags))),
        )
        before = self._sends(known, recipient, run)
        reason, wait = self._reason(one, run, before, taken, groups, known)
        kind = "hold" if reason in ("paused", "scheduled", "quiet_hours") else "suppress"
        send_at = {"paused": one.due_at, "": run.moment}.get(reason, wait)
        return Decision(
            kind if reason else "send",
            reason,
            send_at if kind == "hold" or not reason else None,
            run.moment,
            scopes,
            one.profile,
            (one.campaign, one.step, one.occurrence),
            number,
        )

    def _reason(
        self,
        one: "_Candidate",
        run: Run,
        before: list[Decision],
        taken: list[Decision],
        groups: set[str],
        known: Mapping[tuple[str, str, str, str], Decision],
    ) -> tuple[str, datetime | None]:
        campaign, now = self.campaigns[one.campaign], run.moment
        if one.campaign in run.paused:
            return "paused", None
        for said in before:
            if said.key == (*one.key[:2], one.occurrence):
                return "duplicate", None
        refused = self._refused(one, campaign, now)
        if refused:
            return refused, None
        for said in taken:
            if said.key[:2] == one.key[:2] and said.profile != one.profile:
                return "duplicate", None
        if campaign.cooldown:
            pause = duration(campaign.cooldown)
            for said in [*before, *taken]:
                same = (said.key[2], run.aliases.get(said.profile, said.profile)) == (
                    one.occurrence, one.profile,
                )  # fmt: skip
                recent = said.send_at and said.send_at > now - pause
                if said.key[0] == one.campaign and recent and not same:
                    return "cooldown", None
        if unit(f"{one.campaign}:holdout:{one.profile}") < campaign.holdout / 100:
            return "holdout", None
        zone = campaign.timezone or self.facts.zones[one.profile]
        if self._capped(campaign, one.campaign, now, zone, [*before, *taken]):
            return "frequency_cap", None
        if self._outranked(one, campaign, run, taken, groups, known):
            return "outranked", None
        return self._waits(one, campaign, now, zone)

    def _refused(self, one: "_Candidate", campaign: Campaign, now: datetime) -> str:
        facts = self.facts
        if one.expires_at and one.expires_at <= now:
            return "expired"
        if campaign.conversion:
            last = min(now, one.occurred_at + duration(campaign.conversion.within))
            for profile, event, at in facts.conversions:
                same = (profile, event) == (one.profile, campaign.conversion.event)
                if same and one.occurred_at < at <= last:
                    return "converted"
        if campaign.channel != "onsite":
            if not facts.mailboxes[one.profile]:
                return "no_contact_point"
            said = [
                (at, status == "withdrawn", status)
                for profile, channel, at, status in facts.consents
                if (profile, channel) == (one.profile, campaign.channel) and at <= now
            ]
            if not said or max(said)[2] != "granted":
                return "no_consent"
            for profile, channel, begin, end in facts.stops:
                same = (profile, channel) == (one.profile, campaign.channel)
                if same and begin <= now and (end is None or end > now):
                    return "unsubscribed_or_bounced"
        in_now = {
            stay.segment
            for stay in facts.stays
            if stay.profile == one.profile
            and stay.entered_at <= now
            and (stay.exited_at is None or stay.exited_at > now)
        }
        left = campaign.audience.segment and campaign.audience.segment not in in_now
        return "excluded" if left or in_now & set(campaign.exclude) else ""

    def _capped(
        self, campaign: Campaign, name: str, now: datetime, zone: str, sent: list[Decision]
    ) -> bool:
        own = {"all", f"channel:{campaign.channel}", *(f"tag:{tag}" for tag in campaign.tags)}
        caps = [cap for cap in self.policy.caps if cap.counts in own] + campaign.caps
        for cap in caps:
            scope = f"campaign:{name}" if cap.counts == "campaign" else cap.counts
            counted = 0
            for said in sent:
                assert said.send_at is not None
                if cap.within in ("day", "week", "month"):
                    inside = local(said.send_at, zone) >= period_start(now, zone, cap.within)
                else:
                    inside = said.send_at > now - duration(cap.within)
                counted += inside and scope in said.scopes
            if counted >= cap.limit:
                return True
        return False

    def _outranked(
        self,
        one: "_Candidate",
        campaign: Campaign,
        run: Run,
        taken: list[Decision],
        groups: set[str],
        known: Mapping[tuple[str, str, str, str], Decision],
    ) -> bool:
        if campaign.group in groups:
            return True
        if any(f"channel:{campaign.channel}" in said.scopes for said in taken):
            return True
        for key, said in known.items():
            other = self.campaigns[key[0]]
            same = self._recipient(key[2], run) == self._recipient(one.profile, run)
            waits = said.reason in ("scheduled", "quiet_hours") and said.send_at
            is_rival = campaign.group and campaign.group == other.group and same and waits
            if is_rival and waits > run.moment and other.priority > campaign.priority:
                return True
        return False

    def _waits(
        self, one: "_Candidate", campaign: Campaign, now: datetime, zone: str
    ) -> tuple[str, datetime | None]:
        scheduled = quiet = now
        if campaign.schedule == "preferred_hour":
            hour = self.facts.preferred_hours[one.profile]
            scheduled = next_at(one.due_at, zone, f"{10 if hour is None else hour:02}:00")
        elif campaign.schedule != "immediately":
            scheduled = next_at(one.due_at, zone, campaign.schedule.at)  # type: ignore[union-attr]
        hours = self.policy.quiet_hours if campaign.quiet_hours is None else campaign.quiet_hours
        if hours and hours != "none":
            quiet = first_loud(now, zone, hours.begin, hours.end)
        wait = max(now, scheduled, quiet)
        if wait == now:
            return "", None
        return ("scheduled" if wait == scheduled else "quiet_hours"), wait


def _counts_first(
    entry: tuple[tuple[str, str, str, str], Decision],
) -> tuple[int, int, str]:
    """Of two that a merge made one: what was sent, then what is final, then the later."""
    key, said = entry
    digest = hashlib.md5("|".join(key).encode(), usedforsecurity=False).hexdigest()
    return ("send", "suppress", "hold").index(said.decision), -said.number, digest


_ENTITLED = ("", "holdout", "frequency_cap", "outranked", "scheduled", "quiet_hours")


@dataclass(frozen=True)
class _Candidate:
    campaign: str
    step: str
    place: int
    profile: str
    occurrence: str
    occurred_at: datetime
    due_at: datetime
    expires_at: datetime | None

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.campaign, self.step, self.profile, self.occurrence

    def order(self, campaign: Campaign) -> tuple[object, ...]:
        return (-campaign.priority, self.due_at, self.campaign, self.place, self.occurrence,
                self.profile)  # fmt: skip
