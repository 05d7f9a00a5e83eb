"""Published versions of campaigns: what decided."""

from expectations.spec import Suite, error

SUITE = Suite(
    stage="published",
    table="published.campaign_versions",
    owner="growth",
    rules=(
        error("IsValidJson", "The definition parses as JSON.", column="definition"),
        error(
            "MatchesPattern",
            "A version is a hash of twelve digits.",
            column="version",
            pattern="[0-9a-f]{12}",
        ),
    ),
)
