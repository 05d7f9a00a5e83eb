"""Events as a tracker sends them: steps with identity, amounts and the time of arrival.

Still numbers only; `faults` spoils some of them, `event_table` writes them down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seeds.simulator.arrays import Batch, Bools, Ints, ints, weighted
from seeds.simulator.carts import Baskets
from seeds.simulator.names import EMAIL_WEIGHTS, variants
from seeds.simulator.people import ANONYMOUS
from seeds.simulator.sales import Sold
from seeds.simulator.settings import BLOCKED_PURCHASE_EVENTS
from seeds.simulator.steps import Steps
from seeds.simulator.visits import Visits
from seeds.simulator.vocabulary import (
    ADD_TO_CART,
    ARTICLE_READ,
    CATEGORY_VIEW,
    CHECKOUT_START,
    CLICK,
    CLICKED,
    LOGIN,
    PAGE_VIEW,
    PRODUCT_VIEW,
    PURCHASE,
    QUERIES,
    REMOVE_FROM_CART,
    SCROLL,
    SEARCH,
    SIGNUP,
    VIDEO_PLAY,
)
from seeds.simulator.world import Day

CARRIES_USER_ID = 0.88
CARRIES_EMAIL = 0.02


@dataclass
class Events(Batch):
    """One row per event; -1 where a column does not apply.

    `number` makes the event_id, `session` is the true one (-1 for rows that belong to none),
    `detail` is what was clicked, read, played or searched, `fault` see `faults`.
    """

    number: Ints
    session: Ints
    person: Ints
    device: Ints
    name: Ints
    page: Ints
    occurred_ms: Ints
    received_ms: Ints
    has_user: Bools
    email_variant: Ints
    product: Ints
    category: Ints
    cart: Ints
    order: Ints
    quantity: Ints
    value_cents: Ints
    dwell_seconds: Ints
    scroll: Ints
    detail: Ints
    campaign: Ints
    fault: Ints


def no_events() -> Events:
    """An empty batch."""
    columns = {name: ints(0) for name in Events.__dataclass_fields__}
    return Events(**{**columns, "has_user": np.zeros(0, dtype=np.bool_)})  # type: ignore[arg-type]


def write_events(day: Day, visits: Visits, steps: Steps, baskets: Baskets, sold: Sold) -> Events:
    """Events of the steps, numbered from 0; a session is a position among the visits.

    Purchases without an order (after the end of the run) and blocked ones are left out.
    """
    rng, lines = day.rng, baskets.lines
    bought = steps.name == PURCHASE
    seen = ~bought | (
        (sold.order[steps.visit] >= 0) & (rng.random(len(steps)) >= BLOCKED_PURCHASE_EVENTS)
    )
    steps = steps.take(seen)
    visit, name, count = steps.visit, steps.name, len(steps)
    person = visits.person[visit]
    bought = name == PURCHASE
    landing = steps.rank == 0.0
    has_line = steps.line >= 0
    in_cart = np.isin(name, (ADD_TO_CART, REMOVE_FROM_CART, CHECKOUT_START, PURCHASE))
    quantity = np.where(has_line & in_cart, _at(lines.quantity, steps.line), -1)
    price = np.where(has_line & in_cart, _at(day.world.catalogue.price_cents, steps.product), -1)
    value = np.where(quantity > 0, price * quantity, -1)
    return Events(
        number=np.arange(count, dtype=np.int64),
        session=visit,
        person=person,
        device=visits.device[visit],
        name=name,
        page=steps.page,
        occurred_ms=steps.occurred_ms,
        received_ms=steps.occurred_ms + rng.integers(40, 4_000, count),
        has_user=_has_user(rng, visits, steps),
        email_variant=_emails(rng, visits, steps, day.world.people.kind[person]),
        product=steps.product,
        category=steps.category,
        cart=np.where(in_cart, baskets.cart[visit], -1),
        order=np.where(bought, sold.order[visit], -1),
        quantity=quantity,
        value_cents=np.where(bought, sold.value_cents[visit], value),
        dwell_seconds=_dwell(steps),
        scroll=np.where(name == SCROLL, 25 * rng.integers(1, 5, count), -1),
        detail=_details(rng, name),
        campaign=np.where(landing, visits.campaign[visit], -1),
        fault=ints(count),
    )


def _at(values: Ints, index: Ints) -> Ints:
    """Values by position; any value where the position is -1 and the caller masks it."""
    return values[np.maximum(index, 0)] if len(values) else ints(len(index), -1)


def _has_user(rng: np.random.Generator, visits: Visits, steps: Steps) -> Bools:
    """After a login most events carry the user; visitors logged in before carry it at once."""
    logged_in = visits.logged_in[steps.visit]
    must_log_in = (visits.logs_in | visits.signs_up)[steps.visit]
    after = ~must_log_in | (steps.rank >= 0.5)
    sure = np.isin(steps.name, (LOGIN, SIGNUP))
    return logged_in & after & (sure | (rng.random(len(steps)) < CARRIES_USER_ID))


def _emails(rng: np.random.Generator, visits: Visits, steps: Steps, kind: Ints) -> Ints:
    """Logins carry the address; so do some purchases, and some arrivals from a newsletter."""
    count, name = len(steps), steps.name
    draw = rng.random(count)
    sure = np.isin(name, (LOGIN, SIGNUP))
    at_purchase = (name == PURCHASE) & (draw < np.where(kind == ANONYMOUS, 0.25, 0.5))
    by_email = (steps.rank == 0.0) & (visits.campaign[steps.visit] >= 0) & (draw < 0.35)
    habit = visits.logged_in[steps.visit] & (steps.rank >= 0.5) & (draw < CARRIES_EMAIL)
    carries = sure | at_purchase | by_email | habit
    return np.where(carries, variants(rng, EMAIL_WEIGHTS, count), -1)


def _dwell(steps: Steps) -> Ints:
    """Seconds on a page, where the tracker saw a next event: not on a last page."""
    paged = np.isin(steps.name, (PAGE_VIEW, PRODUCT_VIEW, CATEGORY_VIEW, ARTICLE_READ))
    last = np.ones(len(steps), dtype=np.bool_)
    last[:-1] = steps.visit[1:] != steps.visit[:-1]
    return np.where(paged & ~last, steps.pause_ms // 1_000, -1)


def _details(rng: np.random.Generator, name: Ints) -> Ints:
    """What was read, searched, clicked or played."""
    count = len(name)
    detail = np.where(name == ARTICLE_READ, rng.integers(0, 60, count), -1)
    detail = np.where(name == SEARCH, rng.integers(0, len(QUERIES), count), detail)
    clicked = weighted(rng, (5, 4, 2, 2, 5, 3), count)
    assert len(CLICKED) == 6
    detail = np.where(name == CLICK, clicked, detail)
    return np.where(name == VIDEO_PLAY, rng.integers(0, 12, count), detail)
