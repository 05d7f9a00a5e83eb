"""Accepted answers to messages."""

from expectations.spec import Suite
from expectations.suites.common import normal_email, not_after_landing, staged

SUITE = Suite(
    stage="staging",
    table="staging.stg_crm__interactions",
    owner="data",
    rules=(
        *staged(),
        normal_email(),
        *not_after_landing("occurred_at"),
    ),
)
