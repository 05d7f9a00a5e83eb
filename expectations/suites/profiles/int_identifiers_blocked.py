"""What identifies nobody: is the block list what it should be, or does it eat real people?"""

from expectations.spec import Suite, error, warn
from expectations.suites.common import not_after_as_of

SUITE = Suite(
    stage="profiles",
    table="intermediate.int_identifiers_blocked",
    owner="profiles",
    rules=(
        error(
            "ExpectColumnValueLengthsToBeBetween",
            "No value is longer than an identifier may be.",
            column="identifier_value",
            max_value=256,
        ),
        not_after_as_of("first_occurred_at"),
        warn(
            "FewerThan",
            "Fewer than 100,000 identifiers are blocked: more is a pattern that means real people.",
        ),
    ),
)
