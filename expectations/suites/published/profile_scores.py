"""Published scores: each of a known kind, and explained."""

from expectations.spec import Suite, error
from expectations.suites.common import profile_id

SUITE = Suite(
    stage="published",
    table="published.profile_scores",
    owner="growth",
    rules=(
        error("HoldsNoContactData", "No raw contact data is published."),
        profile_id(),
        error(
            "MatchesPattern",
            "A prediction is called as its trait.",
            column="prediction",
            pattern="[a-z][a-z0-9_]*",
        ),
        error(
            "ExpectColumnValuesToNotBeNull",
            "Each score says which version of the model gave it.",
            column="model_version",
        ),
    ),
)
