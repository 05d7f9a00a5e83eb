"""Sessions: lengths and counts that can be."""

from expectations.spec import Suite, error, warn
from expectations.suites.common import profile_id

SUITE = Suite(
    stage="profiles",
    table="intermediate.int_sessions",
    owner="profiles",
    rules=(
        profile_id(),
        error(
            "NotBefore",
            "No session ends before it starts.",
            column="ended_at",
            earlier="started_at",
        ),
        error(
            "ExpectColumnValuesToBeBetween",
            "A session has at least one event.",
            column="event_count",
            min_value=1,
        ),
        warn(
            "ExpectColumnValuesToBeBetween",
            "At least 99% of the sessions have at most 1,000 events: more suggests a robot.",
            column="event_count",
            max_value=1_000,
            mostly=0.99,
        ),
    ),
)
