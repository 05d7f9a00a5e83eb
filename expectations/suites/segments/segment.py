"""Every segment (`segments.seg_*`): real profiles, and a condition that leaves somebody out."""

from expectations.spec import Suite, warn
from expectations.suites.common import profile_id


def segment_suite(table: str) -> Suite:
    """The suite of the segment `table`, named `schema.table`."""
    return Suite(
        stage="segments",
        table=table,
        owner="growth",
        rules=(
            profile_id(),
            warn("HoldsNotEverybody", "The segment does not hold every profile."),
        ),
    )
