"""Accepted refunds."""

from expectations.spec import Suite
from expectations.suites.common import not_after_landing, rarely_negative, staged

SUITE = Suite(
    stage="staging",
    table="staging.stg_shop__refunds",
    owner="data",
    rules=(
        *staged(),
        *rarely_negative("amount"),
        *not_after_landing("refunded_at"),
    ),
)
