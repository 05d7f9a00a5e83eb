"""Published results of validation: counts, no value of any table."""

from expectations.spec import Suite, error
from expectations.suites.common import not_after_as_of, not_negative

SUITE = Suite(
    stage="published",
    table="published.quality_status",
    owner="data",
    rules=(
        error("HoldsNoContactData", "Results are told in counts, so no address can be in them."),
        error(
            "MatchesPattern",
            "A table is told as schema and name.",
            column="table_name",
            pattern="[a-z_]+[.][a-z0-9_]+",
        ),
        *not_after_as_of("checked_as_of"),
        *not_negative("failed_count", "warned_count"),
    ),
)
