"""Landed refunds: provenance, readable times and amounts."""

from expectations.spec import Suite
from expectations.suites.common import landed, mostly_numbers, mostly_times

SUITE = Suite(
    stage="landing",
    table="landing.shop_refunds",
    owner="data",
    rules=(
        *landed(),
        *mostly_times("refunded_at"),
        *mostly_numbers("amount"),
    ),
)
