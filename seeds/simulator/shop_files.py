"""The shop's extracts: orders with the identifiers a till or a checkout records, items, refunds."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seeds.simulator.arrays import Ints, ints
from seeds.simulator.files import write_csv, write_csv_by_month
from seeds.simulator.sales import STATUSES, STORE, Items, Orders, Refunds, Sales, draw_refunds
from seeds.simulator.settings import HOUR, Settings
from seeds.simulator.text import identifiers, moments, money, pick
from seeds.simulator.vocabulary import ZONES
from seeds.simulator.world import World

REASONS = ("damaged", "too late", "wrong size", "changed my mind, sorry")
DUPLICATES = 0.003


def write_shop(settings: Settings, world: World, sales: Sales) -> dict[str, int]:
    """Write all shop entities; returns the rows of each."""
    folder = settings.inbox / "shop"
    orders, items = Orders.concat(sales.orders), Items.concat(sales.items)
    refunds = draw_refunds(settings, orders, items)
    order_rows = _orders(settings, world, orders)
    item_rows = _items(world, orders, items)
    products = world.catalogue.table(settings)
    return {
        "shop/products": write_csv(products, folder / "products", "products", compress=False),
        "shop/orders": write_csv_by_month(order_rows, "ordered_at", folder / "orders", "orders"),
        "shop/order_items": write_csv_by_month(
            item_rows, "ordered_at", folder / "order_items", "order_items"
        ),
        "shop/refunds": write_csv(_refunds(refunds), folder / "refunds", "refunds"),
    }


def _orders(settings: Settings, world: World, orders: Orders) -> pa.Table:
    """In the order of time; a few rows come twice."""
    rng = settings.random(8)
    twice = max(1, int(len(orders) * DUPLICATES)) if len(orders) else 0
    again = np.arange(0) if not twice else rng.choice(len(orders), twice)
    rows = np.concatenate([np.arange(len(orders)), again]).astype(np.int64)
    orders = orders.take(rows[np.lexsort((rows, orders.ordered_ms[rows]))])
    person = orders.person
    customer = pick(world.names.customer_ids, person, orders.names_customer)
    # A guest checkout leaves -1 where the shop's form had no customer.
    placeholder = pick(["-1"], ints(len(orders)), (orders.order % 3 == 0) & ~orders.names_customer)
    changed = orders.ordered_ms + np.where(orders.status == 1, 5 * HOUR, 0)
    return pa.table(
        {
            "order_id": _order_ids(orders.order),
            "customer_id": pc.coalesce(customer, placeholder),
            "email": world.names.email(person, orders.email_variant),
            "phone": world.names.phone(person, orders.phone_variant),
            "channel": pick(["web", "store"], orders.channel),
            "status": pick(STATUSES, orders.status),
            "cart_id": identifiers("k", np.where(orders.channel == STORE, -1, orders.cart), 8, 8),
            "currency": pick(["EUR"], ints(len(orders))),
            "total": money(orders.total_cents),
            "discount": money(orders.discount_cents),
            "country": pick([zone.country for zone in ZONES], world.people.zone[person]),
            "ordered_at": moments(orders.ordered_ms),
            "updated_at": moments(np.minimum(changed, settings.end_ms - 1)),
        }
    )


def _items(world: World, orders: Orders, items: Items) -> pa.Table:
    """`ordered_at` is an extra column: it puts items into the file of their order's month."""
    first = np.searchsorted(orders.order, items.order)
    return pa.table(
        {
            "order_item_id": identifiers("i", np.arange(len(items), dtype=np.int64), 10),
            "order_id": _order_ids(items.order),
            "product_id": world.catalogue.product_ids.take(pa.array(items.product)),
            "quantity": pa.array(items.quantity),
            "unit_price": money(items.unit_cents),
            "discount": money(items.discount_cents),
            "description": world.catalogue.names.take(pa.array(items.product)),
            "ordered_at": moments(orders.ordered_ms[first]),
        }
    )


def _refunds(refunds: Refunds) -> pa.Table:
    return pa.table(
        {
            "refund_id": identifiers("r", refunds.order, 11),
            "order_id": _order_ids(refunds.order),
            "amount": money(refunds.amount_cents),
            "reason": pick(REASONS, refunds.reason),
            "refunded_at": moments(refunds.refunded_ms),
        }
    )


def _order_ids(order: Ints) -> pa.Array:
    return identifiers("o", order, 9, 8)
