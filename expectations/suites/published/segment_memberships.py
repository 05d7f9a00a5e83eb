"""Published memberships: who is in which segment now."""

from expectations.spec import Suite, error
from expectations.suites.common import profile_id

SUITE = Suite(
    stage="published",
    table="published.segment_memberships",
    owner="growth",
    rules=(
        error("HoldsNoContactData", "No raw contact data is published."),
        profile_id(),
        error(
            "MatchesPattern",
            "A segment's name is lower-case words joined by underscores.",
            column="segment",
            pattern="[a-z][a-z0-9_]*",
        ),
    ),
)
