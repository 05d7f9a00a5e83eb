"""Published overlaps: parts are between nothing and all."""

from expectations.spec import Suite, error
from expectations.suites.common import not_negative

SUITE = Suite(
    stage="published",
    table="published.segment_overlaps",
    owner="growth",
    rules=(
        error("HoldsNoContactData", "No raw contact data is published."),
        *not_negative("shared_count"),
        *(
            error(
                "ExpectColumnValuesToBeBetween",
                f"{column} is between 0 and 1.",
                column=column,
                min_value=0,
                max_value=1,
            )
            for column in ("share_of_segment", "jaccard")
        ),
    ),
)
