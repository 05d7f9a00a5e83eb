"""Accepted products."""

from expectations.spec import Suite, warn
from expectations.suites.common import currency, rarely_negative, staged

SUITE = Suite(
    stage="staging",
    table="staging.stg_shop__products",
    owner="data",
    rules=(
        *staged(),
        *rarely_negative("price"),
        currency(),
        warn(
            "ExpectColumnValuesToNotBeNull",
            "At least 90% of the products have a name.",
            column="name",
            mostly=0.9,
        ),
    ),
)
