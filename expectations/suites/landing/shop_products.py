"""Landed products: provenance, readable prices."""

from expectations.spec import Suite
from expectations.suites.common import landed, mostly_numbers, mostly_times

SUITE = Suite(
    stage="landing",
    table="landing.shop_products",
    owner="data",
    rules=(
        *landed(),
        *mostly_numbers("price"),
        *mostly_times("updated_at"),
    ),
)
