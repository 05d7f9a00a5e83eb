"""Which profile each identifier belongs to."""

from expectations.spec import Suite, error
from expectations.suites.common import profile_id

SUITE = Suite(
    stage="profiles",
    table="intermediate.int_identity_map",
    owner="profiles",
    rules=(
        profile_id(),
        error(
            "MatchesPattern",
            "An identifier is its type, a colon and a value.",
            column="identifier",
            pattern="(email|phone|anonymous_id|user_id|customer_id|contact_id):(?s:.+)",
        ),
    ),
)
