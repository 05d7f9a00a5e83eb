"""Published identity map: identifiers only as hashes."""

from expectations.spec import Suite, error
from expectations.suites.common import profile_id

SUITE = Suite(
    stage="published",
    table="published.identity_map",
    owner="profiles",
    rules=(
        error("HoldsNoContactData", "No raw contact data is published."),
        profile_id(),
        error(
            "MatchesPattern",
            "An identifier is published only as a SHA-256, hexadecimal.",
            column="identifier_hash",
            pattern="[0-9a-f]{64}",
        ),
        error(
            "NotBefore",
            "No identifier is last seen before it was first seen.",
            column="last_seen_at",
            earlier="first_seen_at",
        ),
        error(
            "NotBefore",
            "No identifier leaves a profile before it came.",
            column="valid_to",
            earlier="valid_from",
        ),
    ),
)
