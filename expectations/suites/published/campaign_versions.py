"""Published versions of campaigns: what decided."""

from expectations.spec import Suite, error, warn

SUITE = Suite(
    stage="published",
    table="published.campaign_versions",
    owner="growth",
    rules=(
        warn("HoldsNoContactData", "A campaign names no person's address."),
        error("IsValidJson", "The definition parses as JSON.", column="definition"),
        error(
            "MatchesPattern",
            "A version is a hash of twelve digits.",
            column="version",
            pattern="[0-9a-f]{12}",
        ),
    ),
)
