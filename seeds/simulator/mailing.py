"""E-mail campaigns: who is sent what, who opens and clicks, and what that changes.

One newsletter each Tuesday. A random tenth of the eligible contacts is held out, so that the
effect written into the truth can also be measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from seeds.simulator.arrays import Batch, Bools, Ints, ints
from seeds.simulator.settings import DAY, HOUR, MINUTE, SECOND
from seeds.simulator.world import Day

TYPES = ("sent", "delivered", "open", "click", "unsubscribe", "bounce")
SENT, DELIVERED, OPEN, CLICK, UNSUBSCRIBE, BOUNCE = range(6)
HOLDOUT = 0.1
EFFECT_MS = 3 * DAY


@dataclass
class Interactions(Batch):
    """One row per thing that happened to one message."""

    person: Ints
    campaign: Ints
    kind: Ints
    occurred_ms: Ints


@dataclass
class Assignments(Batch):
    """One row per eligible contact and campaign: treated or held out."""

    person: Ints
    campaign: Ints
    sent_ms: Ints
    treated: Bools


@dataclass
class Clicks(Batch):
    """Visits that an e-mail brings about."""

    person: Ints
    campaign: Ints
    occurred_ms: Ints


@dataclass
class Mailing:
    """State of the mailing list over the run. `affected_until` is per person."""

    affected_until: Ints
    interactions: list[Interactions] = field(default_factory=list)
    assignments: list[Assignments] = field(default_factory=list)
    clicks: list[Clicks] = field(default_factory=list)

    def send(self, day: Day) -> None:
        """Send the newsletter if the day is a Tuesday, and play out what follows."""
        weekday = (day.number + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
        if weekday != 1:
            return
        rng, moment = day.rng, day.start_ms + 8 * HOUR
        person = np.flatnonzero(day.world.people.may_mail(moment)).astype(np.int64)
        treated = rng.random(len(person)) >= HOLDOUT
        sent_ms = moment + rng.integers(0, 40 * MINUTE, len(person))
        tag = ints(len(person), day.number)
        self.assignments.append(Assignments(person, tag, sent_ms, treated))
        self._play(day, person[treated], sent_ms[treated])

    def due_clicks(self, day: Day) -> Clicks:
        """Visits by e-mail that begin on the day."""
        none = ints(0)
        every = Clicks.concat([Clicks(none, none, none), *self.clicks])
        self.clicks = [every.take(every.occurred_ms >= day.end_ms)]
        now = (every.occurred_ms >= day.start_ms) & (every.occurred_ms < day.end_ms)
        return every.take(now)

    def _play(self, day: Day, person: Ints, sent_ms: Ints) -> None:
        """What becomes of the messages of one campaign."""
        rng, people = day.rng, day.world.people
        bounced = rng.random(len(person)) < 0.012
        arrived_ms = sent_ms + rng.integers(SECOND, 30 * SECOND, len(person))
        alive = people.stopped_ms[person] > sent_ms
        wants = np.where(alive, 0.34, 0.05) * (1 + 0.5 * people.email_uplift[person])
        opened = ~bounced & (rng.random(len(person)) < wants)
        opened_ms = arrived_ms + (rng.exponential(5 * HOUR, len(person))).astype(np.int64) + MINUTE
        clicked = opened & alive & (rng.random(len(person)) < 0.22)
        clicked_ms = opened_ms + rng.integers(3 * SECOND, 90 * SECOND, len(person))
        left = opened & (rng.random(len(person)) < 0.015)
        left_ms = opened_ms + rng.integers(10 * SECOND, 5 * MINUTE, len(person))
        happened = (
            (SENT, np.ones(len(person), dtype=np.bool_), sent_ms),
            (BOUNCE, bounced, arrived_ms),
            (DELIVERED, ~bounced, arrived_ms),
            (OPEN, opened, opened_ms),
            (CLICK, clicked, clicked_ms),
            (UNSUBSCRIBE, left, left_ms),
        )
        for kind, who, when in happened:
            rows = np.flatnonzero(who & (when < day.settings.end_ms))
            tag, kinds = ints(len(rows), day.number), ints(len(rows), kind)
            self.interactions.append(Interactions(person[rows], tag, kinds, when[rows]))
        lost = person[left]
        people.withdrawn_ms[lost] = np.minimum(people.withdrawn_ms[lost], left_ms[left])
        self.affected_until[person[~bounced]] = sent_ms[~bounced] + EFFECT_MS
        tag = ints(int(clicked.sum()), day.number)
        self.clicks.append(Clicks(person[clicked], tag, clicked_ms[clicked] + 2 * SECOND))
