"""From visits to events: what a visitor does, in which order, and for how long.

Events are drawn in pieces (arrival, browsing, cart, checkout), each with a rank within its visit;
sorting by rank puts them in order, and a pause after each gives the times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seeds.simulator.arrays import Batch, Floats, Ints, ints, spread, weighted
from seeds.simulator.carts import Lines
from seeds.simulator.catalogue import Catalogue
from seeds.simulator.people import People
from seeds.simulator.settings import MINUTE, SECOND
from seeds.simulator.visits import BOUNCE, LONGEST_MS, READ, Visits
from seeds.simulator.vocabulary import (
    ADD_TO_CART,
    ARTICLE,
    CART,
    CATEGORY_VIEW,
    CHECKOUT_START,
    HOME,
    LOGIN,
    PAGE_OF_EVENT,
    PAGE_VIEW,
    PRODUCT_VIEW,
    PURCHASE,
    REMOVE_FROM_CART,
    SALE,
    SIGNUP,
    WISHLIST_ADD,
)
from seeds.simulator.world import Day

# By event name, in the order of the tracking plan.
BROWSING = (20, 32, 13, 2, 0, 0, 3, 0, 0, 7, 9, 12, 2, 0, 0)
READING = (12, 4, 4, 46, 0, 0, 0, 0, 0, 3, 4, 24, 3, 0, 0)
PAUSE_SECONDS = (14, 24, 16, 55, 6, 5, 4, 35, 20, 8, 4, 9, 45, 8, 20)
LONGEST_PAUSE_MS = 12 * MINUTE


@dataclass
class Steps(Batch):
    """One row per event, without identity or faults; -1 where a number does not apply."""

    visit: Ints
    rank: Floats
    name: Ints
    page: Ints
    product: Ints
    category: Ints
    line: Ints
    occurred_ms: Ints
    pause_ms: Ints


def take_steps(day: Day, visits: Visits, lines: Lines) -> Steps:
    """All events of the visits of a day, ordered by visit and time."""
    rng, people, catalogue = day.rng, day.world.people, day.world.catalogue
    pieces = [
        *_arrivals(rng, people, visits),
        _browsing(rng, people, catalogue, visits),
        *_carting(rng, catalogue, lines),
        *_leaving(rng, visits),
    ]
    steps = Steps.concat(pieces)
    steps = steps.take(np.lexsort((steps.rank, steps.visit)))
    return _timed(rng, visits, steps)


def _steps(visit: Ints, rank: Floats, name: int | Ints) -> Steps:
    names = np.broadcast_to(np.asarray(name, dtype=np.int64), visit.shape).copy()
    none, zero = ints(len(visit), -1), ints(len(visit))
    pages = np.array(PAGE_OF_EVENT, dtype=np.int64)[names]
    return Steps(visit, rank, names, pages, none, none.copy(), none.copy(), zero, zero.copy())


def _at(visit: Ints, rank: float, name: int) -> Steps:
    return _steps(visit.astype(np.int64), np.full(len(visit), rank), name)


def _arrivals(rng: np.random.Generator, people: People, visits: Visits) -> list[Steps]:
    """The landing page, on the sale for those who look for it; then a login or a sign-up."""
    landing = _at(np.arange(len(visits)), 0.0, PAGE_VIEW)
    on_sale = rng.random(len(visits)) < people.discount_affinity[visits.person] * 0.6
    landing.page = np.where(on_sale, SALE, HOME).astype(np.int64)
    logins = _at(np.flatnonzero(visits.logs_in), 0.5, LOGIN)
    return [landing, logins, _at(np.flatnonzero(visits.signs_up), 0.5, SIGNUP)]


def _browsing(
    rng: np.random.Generator, people: People, catalogue: Catalogue, visits: Visits
) -> Steps:
    """Free browsing around one product in mind, in a category in mind."""
    length = 2 + rng.geometric(0.145, len(visits))
    length = np.where(visits.mode == READ, length + 3, length)
    length = np.where(visits.mode == BOUNCE, rng.integers(0, 2, len(visits)), length)
    visit, _ = spread(np.minimum(length, 60).astype(np.int64))
    count = len(visit)
    read = visits.mode[visit] == READ
    name = np.where(read, weighted(rng, READING, count), weighted(rng, BROWSING, count))
    steps = _steps(visit, 1.0 + 8.0 * rng.random(count), name)
    favourite = people.favourite[visits.person]
    any_category = rng.integers(0, len(catalogue.size), len(visits))
    wanted = np.where(rng.random(len(visits)) < 0.6, favourite, any_category)
    focus = catalogue.choose(rng, wanted)
    category = np.where(
        rng.random(count) < 0.75, wanted[visit], rng.integers(0, len(catalogue.size), count)
    )
    product = np.where(rng.random(count) < 0.3, focus[visit], catalogue.choose(rng, category))
    about_product = np.isin(name, (PRODUCT_VIEW, WISHLIST_ADD))
    steps.product = np.where(about_product, product, -1)
    steps.category = np.where(about_product, catalogue.category[product], -1)
    steps.category = np.where(name == CATEGORY_VIEW, category, steps.category)
    steps.page = np.where(read & (steps.page == HOME), ARTICLE, steps.page)
    return steps


def _carting(rng: np.random.Generator, catalogue: Catalogue, lines: Lines) -> list[Steps]:
    """Look at each product, add it, and take some out again."""
    row = np.arange(len(lines), dtype=np.int64)
    rank = 2.0 + 6.5 * rng.random(len(lines))
    added, removed = ~lines.added_before, lines.removed
    pieces = [
        (added, rank, PRODUCT_VIEW),
        (added, rank + 1e-6, ADD_TO_CART),
        (removed, np.full(len(lines), 9.5), REMOVE_FROM_CART),
    ]
    made = []
    for where, ranks, name in pieces:
        steps = _steps(lines.visit[where], ranks[where], name)
        steps.line = row[where]
        steps.product = lines.product[where]
        steps.category = catalogue.category[steps.product]
        made.append(steps)
    return made


def _leaving(rng: np.random.Generator, visits: Visits) -> list[Steps]:
    """The cart page, the checkout (some turn back there), the purchase."""
    in_cart = visits.buys | (visits.abandons & (rng.random(len(visits)) < 0.6))
    cart_page = _at(np.flatnonzero(in_cart), 9.8, PAGE_VIEW)
    cart_page.page = ints(len(cart_page), CART)
    to_checkout = visits.buys | (in_cart & (rng.random(len(visits)) < 0.45))
    checkout = _at(np.flatnonzero(to_checkout), 10.0, CHECKOUT_START)
    return [cart_page, checkout, _at(np.flatnonzero(visits.buys), 11.0, PURCHASE)]


def _timed(rng: np.random.Generator, visits: Visits, steps: Steps) -> Steps:
    """Pauses after each step; a visit that would last too long is played faster."""
    typical = np.log(np.array(PAUSE_SECONDS, dtype=np.float64))[steps.name]
    pause = np.exp(typical + 1.05 * rng.standard_normal(len(steps))) * SECOND
    pause = np.clip(pause, 400, LONGEST_PAUSE_MS)
    total = np.bincount(steps.visit, weights=pause, minlength=len(visits))
    pause *= np.minimum(1.0, LONGEST_MS / np.maximum(total, 1.0))[steps.visit]
    pause_ms = pause.astype(np.int64)
    passed = np.cumsum(pause_ms) - pause_ms
    first = np.searchsorted(steps.visit, np.arange(len(visits)), side="left")
    since = passed - passed[first][steps.visit] if len(steps) else passed
    steps.occurred_ms = visits.start_ms[steps.visit] + since
    steps.pause_ms = pause_ms
    return steps
