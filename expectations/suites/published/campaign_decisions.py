"""Published decisions of campaigns: who gets what when, and why not."""

from expectations.spec import Suite, error
from expectations.suites.common import profile_id

SUITE = Suite(
    stage="published",
    table="published.campaign_decisions",
    owner="growth",
    rules=(
        error("HoldsNoContactData", "No raw contact data is published."),
        profile_id(),
        error("IsValidJson", "The payload parses as JSON.", column="payload"),
        error("IsValidJson", "The gates parse as JSON.", column="gates"),
        error("IsValidJson", "The caps parse as JSON.", column="caps"),
        error(
            "MatchesPattern",
            "A decision is one of three.",
            column="decision",
            pattern="send|hold|suppress",
        ),
        error(
            "NotBefore",
            "Nothing is decided before it comes due.",
            column="decided_at",
            earlier="due_at",
        ),
        error(
            "NotBefore",
            "Nothing comes due before it happened.",
            column="due_at",
            earlier="occurred_at",
        ),
    ),
)
