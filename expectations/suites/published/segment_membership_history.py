"""Published history of memberships: times in order, profiles by their ids."""

from expectations.spec import Suite, error
from expectations.suites.common import profile_id

SUITE = Suite(
    stage="published",
    table="published.segment_membership_history",
    owner="growth",
    rules=(
        error("HoldsNoContactData", "No raw contact data is published."),
        profile_id(),
        error(
            "NotBefore",
            "Nobody leaves before entering.",
            column="exited_at",
            earlier="entered_at",
        ),
    ),
)
