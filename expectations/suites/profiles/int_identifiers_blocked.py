"""What identifies nobody: can every row be shown, and did it happen?"""

from expectations.spec import Suite, error
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
        *not_after_as_of("first_occurred_at"),
    ),
)
