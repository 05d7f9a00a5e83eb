"""Published freshness: each entity of the input contract, none from after as_of."""

from expectations.spec import Suite, error
from expectations.suites.common import not_after_as_of, not_negative

SUITE = Suite(
    stage="published",
    table="published.freshness",
    owner="data",
    rules=(
        error("HoldsNoContactData", "Only counts and times are told."),
        *not_after_as_of("newest_occurred_at"),
        *not_negative("row_count", "lag_seconds"),
    ),
)
