"""Published merges and splits: identifiers only as hashes."""

from expectations.spec import Suite, error

SUITE = Suite(
    stage="published",
    table="published.identity_merges",
    owner="profiles",
    rules=(
        error("HoldsNoContactData", "No raw contact data is published."),
        error("IsProfileId", "profile_id is `p_` and 20 hexadecimal digits.", column="profile_id"),
        error(
            "IsProfileId",
            "other_profile_id is `p_` and 20 hexadecimal digits.",
            column="other_profile_id",
        ),
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
    ),
)
