"""Carts: what is put into them, what is taken out, and which abandoned ones are come back to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seeds.simulator.arrays import Batch, Bools, Ints, flags, ints, spread, weighted
from seeds.simulator.settings import HOUR
from seeds.simulator.world import Day

if TYPE_CHECKING:
    from seeds.simulator.visits import Visits

COME_BACK = 0.12


@dataclass
class Lines(Batch):
    """One row per product in a cart; `visit` is a position among the visits of the day."""

    visit: Ints
    cart: Ints
    product: Ints
    quantity: Ints
    removed: Bools
    added_before: Bools


@dataclass(frozen=True)
class Baskets:
    """Carts of one day: the cart of each visit (-1: none), and the lines of all of them."""

    cart: Ints
    lines: Lines


@dataclass
class Returning(Batch):
    """Abandoned carts whose owners come back on the next day."""

    person: Ints
    device: Ints
    start_ms: Ints
    cart: Ints


@dataclass
class Carts:
    """Carts of the run: the next free number, and what was left yesterday."""

    next_cart: int
    left: Lines
    returning: Returning


def no_carts() -> Carts:
    """The state before the first day."""
    none = ints(0)
    lines = Lines(none, none, none, none, flags(0), flags(0))
    return Carts(0, lines, Returning(none, none, none, none))


def fill_carts(day: Day, carts: Carts, visits: Visits) -> Baskets:
    """Fill new carts, and take up again those that visits return to."""
    rng, catalogue = day.rng, day.world.catalogue
    cart = visits.returns_to.copy()
    fresh = np.flatnonzero((visits.buys | visits.abandons) & (cart < 0))
    cart[fresh] = carts.next_cart + np.arange(len(fresh), dtype=np.int64)
    carts.next_cart += len(fresh)
    owner, nth = spread(1 + weighted(rng, (0.5, 0.25, 0.15, 0.07, 0.03), len(fresh)))
    visit = fresh[owner]
    favourite = day.world.people.favourite[visits.person[visit]]
    other = rng.integers(0, len(catalogue.size), len(visit))
    category = np.where(rng.random(len(visit)) < 0.65, favourite, other)
    new = Lines(
        visit=visit,
        cart=cart[visit],
        product=catalogue.choose(rng, category),
        quantity=1 + weighted(rng, (0.8, 0.14, 0.06), len(visit)),
        removed=(nth > 0) & (rng.random(len(visit)) < 0.15),
        added_before=flags(len(visit)),
    )
    return Baskets(cart, Lines.concat([new, _brought_back(carts.left, visits)]))


def leave_carts(day: Day, carts: Carts, visits: Visits, baskets: Baskets) -> None:
    """Remember the abandoned carts that are bought on the next day."""
    rng, cart, lines = day.rng, baskets.cart, baskets.lines
    back = visits.abandons & ~visits.must_abandon & (rng.random(len(visits)) < COME_BACK)
    rows = np.flatnonzero(back)
    start = day.end_ms + (rng.random(len(rows)) * 20 * HOUR).astype(np.int64)
    carts.returning = Returning(visits.person[rows], visits.device[rows], start, cart[rows])
    carts.left = lines.take(np.isin(lines.cart, cart[rows]) & ~lines.removed)


def _brought_back(left: Lines, visits: Visits) -> Lines:
    """Yesterday's lines of the carts that today's visits return to."""
    rows = np.flatnonzero(visits.returns_to >= 0)
    rows = rows[np.argsort(visits.returns_to[rows])]
    known = visits.returns_to[rows]
    lines = left.take(np.isin(left.cart, known))
    lines.visit = rows[np.searchsorted(known, lines.cart)]
    lines.added_before = flags(len(lines), True)
    return lines
