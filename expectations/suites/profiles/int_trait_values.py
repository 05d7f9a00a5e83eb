"""The value of each trait that survived, and where it came from."""

from expectations.spec import Suite, error, warn
from expectations.suites.common import profile_id

SUITE = Suite(
    stage="profiles",
    table="intermediate.int_trait_values",
    owner="profiles",
    rules=(
        profile_id(),
        error(
            "ExpectColumnValuesToBeBetween",
            "A number of rejected values is not negative.",
            column="rejected_value_count",
            min_value=0,
        ),
        warn(
            "ExpectColumnValuesToBeBetween",
            "At least 99% of the traits had at most 5 other values: more suggests a wrong merge.",
            column="rejected_value_count",
            max_value=5,
            mostly=0.99,
        ),
    ),
)
