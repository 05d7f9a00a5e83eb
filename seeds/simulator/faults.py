"""What real data does: duplicates, retries, late and malformed rows, placeholders for ids.

A row that a pipeline must refuse is always an extra one, copied from a good event: so the true
sessions stay whole, whatever is refused. Late rows and placeholder users spoil good events.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from seeds.simulator.arrays import Bools, Ints, flags, ints
from seeds.simulator.events import Events
from seeds.simulator.settings import DAY, HOUR, MINUTE, SECOND, Settings
from seeds.simulator.vocabulary import (
    ADD_TO_CART,
    CATEGORY_VIEW,
    PRODUCT_VIEW,
    PURCHASE,
    REMOVE_FROM_CART,
    SCROLL,
    SEARCH,
    WISHLIST_ADD,
)
from seeds.simulator.world import Day

MUST_HAVE = (
    PRODUCT_VIEW,
    CATEGORY_VIEW,
    ADD_TO_CART,
    REMOVE_FROM_CART,
    WISHLIST_ADD,
    PURCHASE,
    SEARCH,
    SCROLL,
)


class Fault(IntEnum):
    """What is wrong with a row of `web.events`."""

    NONE = 0
    LATE = 1
    PLACEHOLDER_USER = 2
    DUPLICATE = 3
    RETRY = 4
    MALFORMED = 5
    UNKNOWN_NAME = 6
    MISSING_PROPERTY = 7
    WRONG_TYPE = 8
    PLACEHOLDER_DEVICE = 9


def add_faults(day: Day, events: Events) -> Events:
    """The events with faults. On the first day of a run each kind occurs at least once.

    Events are numbered from 0; extra rows are numbered on, unless they repeat another.
    """
    if not len(events):
        return events
    rng, settings = day.rng, day.settings
    rates, least = settings.rates, int(day.start_ms == settings.start_ms)
    next_number = int(events.number.max()) + 1
    clean = flags(len(events), True)

    def choose(rate: float, allowed: Bools) -> Ints:
        found = np.flatnonzero(allowed & clean)
        wanted = min(len(found), max(least, int(rng.binomial(len(events), rate))))
        rows: Ints = np.sort(rng.choice(found, wanted, replace=False)).astype(np.int64)
        clean[rows] = False
        return rows

    anything = flags(len(events), True)
    late = choose(rates.late, anything)
    events = _delay(rng, settings, events, late)
    unnamed = choose(rates.placeholder_user, ~events.has_user)
    events.fault[unnamed] = Fault.PLACEHOLDER_USER
    extras = {
        Fault.DUPLICATE: choose(rates.duplicate, anything),
        Fault.RETRY: choose(rates.retry, anything),
        Fault.MALFORMED: choose(rates.malformed, anything),
        Fault.UNKNOWN_NAME: choose(rates.unknown_name, anything),
        Fault.MISSING_PROPERTY: choose(rates.missing_property, np.isin(events.name, MUST_HAVE)),
        Fault.WRONG_TYPE: choose(rates.wrong_type, anything),
        Fault.PLACEHOLDER_DEVICE: choose(rates.placeholder_device, anything),
    }
    parts = [events]
    for fault, rows in extras.items():
        extra = _copy(rng, events, rows, fault, next_number)
        next_number += len(rows)
        parts.append(extra)
    return Events.concat(parts)


def _delay(rng: np.random.Generator, settings: Settings, events: Events, rows: Ints) -> Events:
    """Most late rows come within three days, one in ten even later; none after the end."""
    delay = HOUR + (rng.exponential(14.0, len(rows)) * HOUR).astype(np.int64)
    far = rng.random(len(rows)) < 0.1
    delay = np.where(far, 3 * DAY + delay, np.minimum(delay, 70 * HOUR))
    delay[:1] = DAY + HOUR
    in_time = events.occurred_ms[rows] + delay < settings.end_ms
    rows, delay = rows[in_time], delay[in_time]
    events.received_ms[rows] += delay
    events.fault[rows] = Fault.LATE
    return events


def _copy(
    rng: np.random.Generator, events: Events, rows: Ints, fault: Fault, next_number: int
) -> Events:
    """Extra rows with a fault: repeats keep the event number, the others are new."""
    extra = events.take(rows)
    extra.session = ints(len(rows), -1)
    extra.fault = ints(len(rows), int(fault))
    if fault is Fault.RETRY:
        extra.received_ms = extra.received_ms + rng.integers(SECOND, 90 * MINUTE, len(rows))
    elif fault is not Fault.DUPLICATE:
        extra.number = next_number + np.arange(len(rows), dtype=np.int64)
        extra.received_ms = extra.received_ms + 1
    if fault is Fault.PLACEHOLDER_DEVICE:
        extra.has_user = flags(len(rows))
        extra.email_variant = ints(len(rows), -1)
    return extra
