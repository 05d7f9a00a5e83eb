"""The people: who they are, how they behave, when they come and when they stay away.

Everything here is truth. What the shop's systems come to see of it is decided elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seeds.simulator.arrays import NEVER, Batch, Bools, Floats, Ints, flags, ints, weighted
from seeds.simulator.settings import DAY, HOUR, Settings
from seeds.simulator.vocabulary import CATEGORIES, FIRST_NAMES, LAST_NAMES, ZONES

REGISTERED, LEAD, GUEST, ANONYMOUS = range(4)
KINDS = ("registered", "lead", "guest", "anonymous")
KIND_WEIGHTS = (0.42, 0.10, 0.20, 0.28)
VISITS_PER_DAY = 0.066
FANS = 0.02
FADE_MS = 14 * DAY


@dataclass
class People(Batch):
    """One row per person; times in milliseconds, NEVER if it does not happen."""

    kind: Ints
    is_test: Bools
    zone: Ints
    first_name: Ints
    last_name: Ints
    birth_day: Ints
    gender: Ints
    visits_per_day: Floats
    buy_probability: Floats
    email_uplift: Floats
    reading: Floats
    discount_affinity: Floats
    favourite: Ints
    joined_ms: Ints
    stopped_ms: Ints
    registers_ms: Ints
    contact_since_ms: Ints
    consents_email: Bools
    consents_sms: Bools
    withdrawn_ms: Ints
    contact_variant: Ints

    def may_mail(self, moment: int) -> Bools:
        """Who is a contact that agreed to e-mail and has not withdrawn by then."""
        known = (self.contact_since_ms <= moment) & self.consents_email
        return known & (self.withdrawn_ms > moment) & ~self.is_test


def make_people(settings: Settings) -> People:
    """Draw everybody. Churners fade over two weeks before they stop; see `activity`."""
    rng, count = settings.random(1), settings.people
    kind = weighted(rng, KIND_WEIGHTS, count)
    tests = max(3, count // 500)
    kind[:tests] = REGISTERED
    is_test = flags(count)
    is_test[:tests] = True
    joined, stopped = _lifetimes(rng, settings)
    registers = _registrations(rng, settings, kind, joined)
    fixed = (kind == LEAD) | (registers < settings.start_ms)
    contact_since = np.where(fixed, registers, NEVER)
    consents = rng.random(count) < np.where(kind == LEAD, 0.95, 0.72)
    withdraws = rng.random(count) < 0.15
    withdrawn = settings.start_ms + (rng.random(count) * settings.days * DAY).astype(np.int64)
    withdrawn = np.where(withdraws, np.maximum(withdrawn, registers + HOUR), NEVER)
    rates, buying = _habits(rng, kind, tests)
    return People(
        kind=kind,
        is_test=is_test,
        zone=weighted(rng, [zone.weight for zone in ZONES], count),
        first_name=rng.integers(0, len(FIRST_NAMES), count),
        last_name=rng.integers(0, len(LAST_NAMES), count),
        birth_day=rng.integers(-9_000, 14_000, count),
        gender=weighted(rng, (0.47, 0.45, 0.03, 0.05), count),
        visits_per_day=rates,
        buy_probability=buying,
        email_uplift=_uplift(rng, count),
        reading=rng.beta(1.2, 6.0, count),
        discount_affinity=rng.beta(0.8, 3.0, count),
        favourite=rng.integers(0, len(CATEGORIES), count),
        joined_ms=joined,
        stopped_ms=stopped,
        registers_ms=registers,
        contact_since_ms=contact_since,
        consents_email=consents,
        consents_sms=rng.random(count) < 0.25,
        withdrawn_ms=withdrawn,
        contact_variant=weighted(rng, (0.78, 0.08, 0.05, 0.09), count),
    )


def activity(people: People, day_ms: int) -> Floats:
    """Expected visits of each person on the day that begins then: habit, season, fading."""
    date = np.datetime64(day_ms, "ms").astype("datetime64[D]")
    day_of_year = int((date - date.astype("datetime64[Y]")).astype(np.int64))
    weekday = int((date.astype(np.int64) + 3) % 7)  # 1970-01-01 was a Thursday; Monday is 0
    season = 1.0 + 0.25 * np.cos(2 * np.pi * (day_of_year - 350) / 365)
    season *= (0.92, 0.9, 0.93, 0.96, 1.0, 1.14, 1.2)[weekday]
    fade = np.clip((people.stopped_ms - day_ms) / FADE_MS, 0.15, 1.0)
    here = (people.joined_ms < day_ms + DAY) & (people.stopped_ms > day_ms)
    return np.where(here, people.visits_per_day * season * fade, 0.0)


def _lifetimes(rng: np.random.Generator, settings: Settings) -> tuple[Ints, Ints]:
    """First and last moment of each person as a visitor."""
    count, span = settings.people, settings.days * DAY
    moment = settings.start_ms + (rng.random(count) * span).astype(np.int64)
    new = rng.random(count) < 0.25
    joined = np.where(new, moment, settings.start_ms - rng.integers(1, 900, count) * DAY)
    fate = rng.random(count)
    inside = settings.start_ms + (rng.random(count) * span).astype(np.int64)
    inside = np.maximum(inside, joined + DAY)
    before = settings.start_ms - (rng.random(count) * 60 * DAY).astype(np.int64)
    stopped = np.where(fate < 0.15, inside, ints(count, NEVER))
    return joined, np.where((fate > 0.93) & ~new, before, stopped)


def _registrations(rng: np.random.Generator, settings: Settings, kind: Ints, joined: Ints) -> Ints:
    """When a person becomes known: some time after joining; NEVER for guests and strangers."""
    count = len(kind)
    delay = (rng.exponential(12.0, count) * DAY).astype(np.int64)
    known = np.minimum(joined + delay, settings.end_ms - HOUR)
    return np.where((kind == REGISTERED) | (kind == LEAD), known, NEVER)


def _habits(rng: np.random.Generator, kind: Ints, tests: int) -> tuple[Floats, Floats]:
    """Visits per day and the probability that a visit ends in an order, without any treatment."""
    count = len(kind)
    rates = VISITS_PER_DAY * rng.lognormal(-0.5, 1.0, count)
    rates *= np.array([1.35, 0.9, 0.6, 0.45])[kind]
    fans = rng.random(count) < FANS
    fans[tests : tests + 5] = True  # even a tiny run has frequent visitors
    rates[fans] = 0.6 + rng.random(int(fans.sum()))
    buying = rng.beta(1.5, 30.0, count) * np.array([1.3, 0.8, 0.9, 0.35])[kind]
    buying[fans] += 0.03
    return np.minimum(rates, 2.5), buying


def _uplift(rng: np.random.Generator, count: int) -> Floats:
    """Relative change of the order probability after an e-mail.

    Persuadable (30%), indifferent (60%) and annoyed (10%) people, as in uplift modelling.
    """
    group = weighted(rng, (0.3, 0.6, 0.1), count)
    return np.array([0.8, 0.0, -0.4])[group] * (0.5 + rng.random(count))
