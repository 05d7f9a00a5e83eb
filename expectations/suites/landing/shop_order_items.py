"""Landed order lines: provenance, readable quantities and prices."""

from expectations.spec import Suite
from expectations.suites.common import landed, mostly_numbers

SUITE = Suite(
    stage="landing",
    table="landing.shop_order_items",
    owner="data",
    rules=(
        *landed(),
        *mostly_numbers("quantity", "unit_price", "discount"),
    ),
)
