"""Accepted consents: who may be written to, and how."""

from expectations.spec import Suite, error
from expectations.suites.common import normal_email, not_after_landing, staged

SUITE = Suite(
    stage="staging",
    table="staging.stg_crm__consents",
    owner="privacy",
    rules=(
        *staged(),
        normal_email(),
        *not_after_landing("occurred_at"),
        error(
            "ExpectColumnValuesToNotBeNull",
            "A consent without a time cannot be put in order.",
            column="occurred_at",
        ),
    ),
)
