"""The visits of one day: who comes when, on which device, and with what in mind.

Visits of one device begin at least three hours apart and last less than that minus the session
timeout, so a visit here is exactly a session in the sense of thirty minutes without activity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seeds.simulator.arrays import NEVER, Batch, Bools, Ints, flags, ints, weighted
from seeds.simulator.carts import Returning
from seeds.simulator.mailing import Mailing
from seeds.simulator.people import REGISTERED, People, activity
from seeds.simulator.settings import DAY, HOUR, MINUTE
from seeds.simulator.vocabulary import ZONES
from seeds.simulator.world import Day

SPACING_MS = 3 * HOUR
LONGEST_MS = 140 * MINUTE
BROWSE, READ, BOUNCE = range(3)
HOURS = (2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 10, 10, 11, 10, 9, 9, 10, 11, 13, 15, 16, 14, 9, 5)


@dataclass
class Visits(Batch):
    """One row per visit; -1 where there is no campaign or no cart to return to."""

    person: Ints
    device: Ints
    start_ms: Ints
    campaign: Ints
    returns_to: Ints
    must_abandon: Bools
    mode: Ints
    logged_in: Bools
    logs_in: Bools
    signs_up: Bools
    buys: Bools
    abandons: Bools


@dataclass
class Calls(Batch):
    """Visits before their plan is drawn."""

    person: Ints
    device: Ints
    start_ms: Ints
    campaign: Ints
    returns_to: Ints
    must_abandon: Bools


def draw_visits(day: Day, mailing: Mailing, returning: Returning, busy_ms: Ints) -> Visits:
    """All visits that begin on a day. Updates `busy_ms`, per device, and the sign-ups."""
    people, end_ms = day.world.people, day.settings.end_ms
    calls = [
        _by_habit(day),
        _by_email(day, mailing),
        _to_carts(returning),
    ]
    if day.end_ms >= end_ms:
        calls.append(_at_the_end(day))
    every = Calls.concat(calls)
    alive = (people.joined_ms[every.person] <= every.start_ms) & (
        people.stopped_ms[every.person] > every.start_ms
    )
    every = _apart(every.take(alive & (every.start_ms < end_ms)), busy_ms)
    return _plan(day, mailing, every)


def _by_habit(day: Day) -> Calls:
    """Visits at the usual rate and hour of each person."""
    rng, people = day.rng, day.world.people
    times = rng.poisson(activity(people, day.start_ms))
    person = np.repeat(np.arange(len(people), dtype=np.int64), times)
    offsets = np.array([zone.offset_hours for zone in ZONES], dtype=np.int64)[people.zone[person]]
    local = weighted(rng, HOURS, len(person)) * HOUR + rng.integers(0, HOUR, len(person))
    start = day.start_ms + np.mod(local - offsets * HOUR - day.start_ms % DAY, DAY)
    return _calls(person, day.world.devices.choose(rng, person), start)


def _by_email(day: Day, mailing: Mailing) -> Calls:
    """Visits that follow a click in a newsletter."""
    clicks = mailing.due_clicks(day)
    device = day.world.devices.choose(day.rng, clicks.person)
    calls = _calls(clicks.person, device, clicks.occurred_ms)
    calls.campaign = clicks.campaign
    return calls


def _to_carts(returning: Returning) -> Calls:
    """People who come back to buy what they left."""
    calls = _calls(returning.person, returning.device, returning.start_ms)
    calls.returns_to = returning.cart
    return calls


def _at_the_end(day: Day) -> Calls:
    """Fresh abandoned carts: without them a small run would end with none to remind of."""
    rng, people, devices = day.rng, day.world.people, day.world.devices
    end_ms = day.settings.end_ms
    here = np.flatnonzero((people.joined_ms < end_ms - DAY) & (people.stopped_ms >= NEVER))
    person = rng.choice(here, min(len(here), max(6, len(people) // 300)), replace=False)
    start = end_ms - rng.integers(50 * MINUTE, 6 * HOUR, len(person))
    calls = _calls(person.astype(np.int64), devices.used[devices.first[person]], start)
    calls.must_abandon = flags(len(person), True)
    return calls


def _calls(person: Ints, device: Ints, start_ms: Ints) -> Calls:
    count = len(person)
    return Calls(person, device, start_ms, ints(count, -1), ints(count, -1), flags(count))


def _apart(calls: Calls, busy_ms: Ints) -> Calls:
    """Only visits that begin well after every earlier one of the same device."""
    calls = calls.take(np.lexsort((calls.person, calls.start_ms, calls.device)))
    same = np.zeros(len(calls), dtype=np.bool_)
    same[1:] = calls.device[1:] == calls.device[:-1]
    before = busy_ms[calls.device]
    before[1:] = np.where(same[1:], np.maximum(calls.start_ms[:-1], before[1:]), before[1:])
    kept = calls.take(calls.start_ms - before >= SPACING_MS)
    np.maximum.at(busy_ms, calls.device, calls.start_ms)
    return kept.take(np.lexsort((kept.device, kept.start_ms)))


def _plan(day: Day, mailing: Mailing, calls: Calls) -> Visits:
    """What each visitor has in mind; a recent e-mail changes the probability of an order."""
    rng, people = day.rng, day.world.people
    count, person = len(calls), calls.person
    returns, must = calls.returns_to >= 0, calls.must_abandon
    treated = mailing.affected_until[person] > calls.start_ms
    chance = people.buy_probability[person] * np.where(treated, 1 + people.email_uplift[person], 1)
    buys = ((rng.random(count) < chance) & ~must) | returns
    abandons = (~buys & (rng.random(count) < 0.075)) | must
    mode = np.where(rng.random(count) < people.reading[person], READ, BROWSE)
    mode = np.where(rng.random(count) < 0.22, BOUNCE, mode)
    mode = np.where(buys | abandons, BROWSE, mode)
    signs_up = _sign_ups(people, calls)
    known = people.contact_since_ms[person] < calls.start_ms
    member = known & (people.kind[person] == REGISTERED)
    logged_in = member & (rng.random(count) < np.where(buys, 0.85, 0.45))
    return Visits(
        person=person,
        device=calls.device,
        start_ms=calls.start_ms,
        campaign=calls.campaign,
        returns_to=calls.returns_to,
        must_abandon=must,
        mode=mode,
        logged_in=logged_in | signs_up,
        logs_in=logged_in & ~signs_up & (rng.random(count) < 0.55),
        signs_up=signs_up,
        buys=buys,
        abandons=abandons,
    )


def _sign_ups(people: People, calls: Calls) -> Bools:
    """The first visit after a person decided to register; they are a contact from then on."""
    person = calls.person
    willing = (people.kind[person] == REGISTERED) & (people.contact_since_ms[person] >= NEVER)
    rows = np.flatnonzero(willing & (people.registers_ms[person] <= calls.start_ms))
    _, first = np.unique(person[rows], return_index=True)
    chosen = rows[first]
    people.contact_since_ms[person[chosen]] = calls.start_ms[chosen] + MINUTE
    signs_up = flags(len(calls))
    signs_up[chosen] = True
    return signs_up
