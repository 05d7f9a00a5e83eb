"""Accepted orders."""

from expectations.spec import Suite
from expectations.suites.common import (
    currency,
    normal_email,
    normal_phone,
    not_after_landing,
    staged,
)

SUITE = Suite(
    stage="staging",
    table="staging.stg_shop__orders",
    owner="data",
    rules=(
        *staged(),
        normal_email(),
        normal_phone(),
        currency(),
        *not_after_landing("ordered_at"),
    ),
)
