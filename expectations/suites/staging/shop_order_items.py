"""Accepted order lines; a cancellation has negative quantities."""

from expectations.spec import Suite, warn
from expectations.suites.common import staged

SUITE = Suite(
    stage="staging",
    table="staging.stg_shop__order_items",
    owner="data",
    rules=(
        *staged(),
        warn(
            "ExpectColumnValuesToBeBetween",
            "At least 99% of the prices are not negative (a few lines adjust debts).",
            column="unit_price",
            min_value=0,
            mostly=0.99,
        ),
        warn(
            "ExpectColumnValuesToBeBetween",
            "At least 99% of the quantities are between -10,000 and 10,000.",
            column="quantity",
            min_value=-10_000,
            max_value=10_000,
            mostly=0.99,
        ),
    ),
)
