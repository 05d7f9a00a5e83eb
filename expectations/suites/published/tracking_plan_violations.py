"""Published violations of the tracking plan: counts only, never a value that a person sent."""

from expectations.spec import Suite, error
from expectations.suites.common import not_negative


def _suite(table: str, count: str) -> Suite:
    return Suite(
        stage="published",
        table=f"published.{table}",
        owner="data",
        rules=(
            error("HoldsNoContactData", "Names and reasons hold no address."),
            error(
                "MatchesPattern",
                "Names are short; a text in the place of a name is not shown.",
                column="event_name",
                pattern="(?s:.{1,60})",
            ),
            error(
                "NotBefore",
                "Nothing was last landed before it was first landed.",
                column="last_landed_at",
                earlier="first_landed_at",
            ),
            *not_negative(count),
        ),
    )


SUITE = _suite("tracking_plan_violations", "row_count")
SUITE_V1 = _suite("tracking_plan_violations_v1", "rows")
