"""Landed orders: provenance, readable addresses, times and totals."""

from expectations.spec import Suite
from expectations.suites.common import landed, mostly_emails, mostly_numbers, mostly_times

SUITE = Suite(
    stage="landing",
    table="landing.shop_orders",
    owner="data",
    rules=(
        *landed(),
        mostly_emails(),
        *mostly_times("ordered_at", "updated_at"),
        *mostly_numbers("total", "discount"),
    ),
)
