"""Accepted contacts: what identity and profiles are made of."""

from expectations.spec import Suite, warn
from expectations.suites.common import normal_email, normal_phone, not_after_landing, staged

SUITE = Suite(
    stage="staging",
    table="staging.stg_crm__contacts",
    owner="data",
    rules=(
        *staged(),
        normal_email(),
        normal_phone(),
        *not_after_landing("created_at", "updated_at"),
        warn(
            "NotBefore",
            "No contact is changed before it was made.",
            column="updated_at",
            earlier="created_at",
        ),
        warn(
            "NotAfterLanding",
            "Nobody is born after they were landed.",
            column="birth_date",
        ),
    ),
)
