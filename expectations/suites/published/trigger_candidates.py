"""Published trigger occurrences: payload that parses, windows that can be."""

from expectations.spec import Suite, error
from expectations.suites.common import not_after_as_of, profile_id

SUITE = Suite(
    stage="published",
    table="published.trigger_candidates",
    owner="growth",
    rules=(
        error("HoldsNoContactData", "No raw contact data is published."),
        profile_id(),
        error("IsValidJson", "The payload parses as JSON.", column="payload"),
        *not_after_as_of("occurred_at", "available_at"),
        error(
            "NotBefore",
            "Nothing may be acted on before it happened.",
            column="available_at",
            earlier="occurred_at",
        ),
        error(
            "NotBefore",
            "Nothing expires before it may be acted on.",
            column="expires_at",
            earlier="available_at",
        ),
    ),
)
