"""What identifies nobody: can every row be shown, and can it have happened?"""

from expectations.spec import Suite, error

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
        error(
            "NotBefore",
            "None is last seen before it is first seen.",
            column="last_occurred_at",
            earlier="first_occurred_at",
        ),
    ),
)
