"""Published trigger occurrences: a known trigger, a key, a payload, a window that can be."""

from expectations.spec import Suite, error
from expectations.suites.common import candidate, not_after_as_of

SUITE = Suite(
    stage="published",
    table="published.trigger_candidates",
    owner="growth",
    rules=(
        error("HoldsNoContactData", "No raw contact data is published."),
        error(
            "MatchesPattern",
            "A trigger's name is lower-case words joined by underscores.",
            column="trigger_name",
            pattern="[a-z][a-z0-9_]*",
        ),
        *candidate(),
        *not_after_as_of("occurred_at", "available_at"),
    ),
)
