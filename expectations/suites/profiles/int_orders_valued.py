"""Orders with their value: who they belong to, and in proportion."""

from expectations.spec import Suite, warn
from expectations.suites.common import rarely_negative

SUITE = Suite(
    stage="profiles",
    table="intermediate.int_orders_valued",
    owner="profiles",
    rules=(
        warn(
            "IsProfileId",
            "At least 80% of the orders belong to somebody (guests may leave no identifier).",
            column="profile_id",
            mostly=0.8,
        ),
        *rarely_negative("refunded_value"),
        warn(
            "ExpectColumnValuesToBeBetween",
            "At least 99% of the order values are between -100,000 and 100,000.",
            column="gross_value",
            min_value=-100_000,
            max_value=100_000,
            mostly=0.99,
        ),
    ),
)
