"""Events that do not count since they were received too late: how many are they?"""

from expectations.spec import Suite, warn

SUITE = Suite(
    stage="profiles",
    table="intermediate.int_events_too_late",
    owner="web",
    rules=(
        warn(
            "FewAgainst",
            "At most 1% of the events were received too late to count.",
            others="intermediate.int_events_resolved",
            share=0.01,
        ),
    ),
)
