"""Published rejections of edges: identifiers only as hashes."""

from expectations.spec import Suite, error

SUITE = Suite(
    stage="published",
    table="published.identity_rejections",
    owner="profiles",
    rules=(
        error("HoldsNoContactData", "No raw contact data is published."),
        error(
            "MatchesPattern",
            "An identifier is published only as a SHA-256, hexadecimal.",
            column="edge_hash_a",
            pattern="[0-9a-f]{64}",
        ),
        error(
            "MatchesPattern",
            "An identifier is published only as a SHA-256, hexadecimal.",
            column="edge_hash_b",
            pattern="[0-9a-f]{64}",
        ),
        error(
            "NotBefore",
            "No rejection ends before it begins.",
            column="valid_to",
            earlier="valid_from",
        ),
    ),
)
