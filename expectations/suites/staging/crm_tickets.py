"""Accepted service tickets."""

from expectations.spec import Suite, warn
from expectations.suites.common import normal_email, not_after_landing, staged

SUITE = Suite(
    stage="staging",
    table="staging.stg_crm__tickets",
    owner="data",
    rules=(
        *staged(),
        normal_email(),
        *not_after_landing("opened_at", "closed_at"),
        warn(
            "NotBefore",
            "No ticket is closed before it was opened.",
            column="closed_at",
            earlier="opened_at",
        ),
    ),
)
