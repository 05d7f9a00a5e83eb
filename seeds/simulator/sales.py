"""Orders, their items and refunds, from the web and from the stores."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from seeds.simulator.arrays import Batch, Bools, Ints, ints, spread, weighted
from seeds.simulator.carts import Baskets
from seeds.simulator.names import EMAIL_WEIGHTS, PHONE_WEIGHTS, variants
from seeds.simulator.people import GUEST, REGISTERED
from seeds.simulator.settings import DAY, HOUR, MINUTE, Settings
from seeds.simulator.visits import Visits
from seeds.simulator.world import Day

WEB, STORE = range(2)
STATUSES = ("completed", "cancelled")
STORE_ORDERS_PER_DAY = 0.0035


@dataclass
class Orders(Batch):
    """One row per order; variants are -1 where the order does not carry that identifier."""

    order: Ints
    person: Ints
    ordered_ms: Ints
    channel: Ints
    cart: Ints
    status: Ints
    total_cents: Ints
    discount_cents: Ints
    names_customer: Bools
    email_variant: Ints
    phone_variant: Ints


@dataclass
class Draft(Batch):
    """Orders before they are added up; see `Orders`."""

    person: Ints
    ordered_ms: Ints
    cart: Ints
    names_customer: Bools
    email_variant: Ints
    phone_variant: Ints


@dataclass
class Items(Batch):
    """One row per order item; the discount is for the whole row."""

    order: Ints
    product: Ints
    quantity: Ints
    unit_cents: Ints
    discount_cents: Ints


@dataclass(frozen=True)
class Sold:
    """What became of each visit: its order (-1: none) and that order's total."""

    order: Ints
    value_cents: Ints


@dataclass
class Refunds(Batch):
    """One row per refund."""

    order: Ints
    amount_cents: Ints
    reason: Ints
    refunded_ms: Ints


@dataclass
class Sales:
    """All trade of the run so far."""

    next_order: int = 0
    orders: list[Orders] = field(default_factory=list)
    items: list[Items] = field(default_factory=list)


def sell_online(day: Day, sales: Sales, visits: Visits, baskets: Baskets, bought_ms: Ints) -> Sold:
    """Orders of the visits with a purchase; `bought_ms` is per visit, -1 for none."""
    rng, lines = day.rng, baskets.lines
    rows = np.flatnonzero(bought_ms >= 0)
    order = ints(len(visits), -1)
    order[rows] = sales.next_order + np.arange(len(rows), dtype=np.int64)
    wanted = lines.take(~lines.removed & (order[lines.visit] >= 0))
    wanted = wanted.take(np.argsort(wanted.visit, kind="stable"))
    items = Items(
        order=order[wanted.visit],
        product=wanted.product,
        quantity=wanted.quantity,
        unit_cents=day.world.catalogue.price_cents[wanted.product],
        discount_cents=ints(len(wanted)),
    )
    person = visits.person[rows]
    member = visits.logged_in[rows]
    draw = rng.random(len(rows))
    guest_mail = ~member & (draw < 0.93)
    email = np.where(
        guest_mail | (member & (draw < 0.6)), variants(rng, EMAIL_WEIGHTS, len(rows)), -1
    )
    phone = np.where(rng.random(len(rows)) < 0.25, variants(rng, PHONE_WEIGHTS, len(rows)), -1)
    draft = Draft(person, bought_ms[rows], baskets.cart[rows], member, email, phone)
    value = ints(len(visits))
    value[rows] = _book(day, sales, WEB, draft, items)
    return Sold(order, value)


def sell_in_stores(day: Day, sales: Sales) -> None:
    """Orders at the till: some show a loyalty card, some leave a phone number, some nothing."""
    rng, people, catalogue = day.rng, day.world.people, day.world.catalogue
    day_ms, end_ms = day.start_ms, day.settings.end_ms
    here = (people.joined_ms < day_ms) & (people.stopped_ms > day.end_ms) & ~people.is_test
    rate = np.where(here & (people.kind <= GUEST), STORE_ORDERS_PER_DAY, 0.0)
    person = np.repeat(np.arange(len(people), dtype=np.int64), rng.poisson(rate))
    when = day_ms + 8 * HOUR + rng.integers(0, 11 * HOUR, len(person))
    person, when = person[when < end_ms], when[when < end_ms]
    owner, _ = spread(1 + weighted(rng, (0.45, 0.3, 0.15, 0.1), len(person)))
    product = catalogue.choose(rng, people.favourite[person[owner]])
    items = Items(
        order=sales.next_order + owner,
        product=product,
        quantity=1 + weighted(rng, (0.75, 0.17, 0.08), len(owner)),
        unit_cents=catalogue.price_cents[product],
        discount_cents=ints(len(owner)),
    )
    known = (people.kind[person] == REGISTERED) & (people.contact_since_ms[person] < when)
    draw = rng.random(len(person))
    card = known & (draw < 0.7)
    phone = np.where(~card & (draw > 0.55), variants(rng, PHONE_WEIGHTS, len(person)), -1)
    nothing = ints(len(person), -1)
    draft = Draft(person, when, nothing, card, nothing, phone)
    _book(day, sales, STORE, draft, items)


def draw_refunds(settings: Settings, orders: Orders, items: Items) -> Refunds:
    """About one order in fifteen is given back, half of these in part."""
    rng = settings.random(7)
    drawn = (orders.status == 0) & (rng.random(len(orders)) < 0.065)
    if len(orders) and not drawn.any():
        drawn[0] = True  # even a tiny run has one
    when = orders.ordered_ms + HOUR + (rng.exponential(6.0, len(orders)) * DAY).astype(np.int64)
    if len(orders) and drawn.sum() == 1:
        when = np.minimum(when, settings.end_ms - MINUTE)
    rows = np.flatnonzero(drawn & (when < settings.end_ms))
    first = np.searchsorted(items.order, orders.order[rows])
    part = items.unit_cents[first] - items.discount_cents[first] // items.quantity[first]
    whole = rng.random(len(rows)) < 0.5
    amount = np.where(whole, orders.total_cents[rows], np.minimum(part, orders.total_cents[rows]))
    return Refunds(orders.order[rows], amount, rng.integers(0, 4, len(rows)), when[rows])


def _book(day: Day, sales: Sales, channel: int, draft: Draft, items: Items) -> Ints:
    """Grant discounts, add everything up, keep it. Returns the totals in cents."""
    rng, count = day.rng, len(draft)
    affinity = day.world.people.discount_affinity[draft.person]
    local = items.order - sales.next_order
    given = rng.random(count) < affinity * 0.8
    percent = np.where(given, 5 * rng.integers(2, 7, count), 0)
    gross = items.quantity * items.unit_cents
    items.discount_cents = gross * percent[local] // 100
    discount = np.bincount(local, weights=items.discount_cents, minlength=count).astype(np.int64)
    total = np.bincount(local, weights=gross, minlength=count).astype(np.int64) - discount
    sales.items.append(items)
    sales.orders.append(
        Orders(
            order=sales.next_order + np.arange(count, dtype=np.int64),
            person=draft.person,
            ordered_ms=draft.ordered_ms,
            channel=ints(count, channel),
            cart=draft.cart,
            status=weighted(rng, (0.97, 0.03), count),
            total_cents=total,
            discount_cents=discount,
            names_customer=draft.names_customer,
            email_variant=draft.email_variant,
            phone_variant=draft.phone_variant,
        )
    )
    sales.next_order += count
    return total
