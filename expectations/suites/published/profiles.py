"""Published profiles: no contact data, nothing from after as_of."""

from expectations.spec import Suite, error
from expectations.suites.common import not_after_as_of, not_negative, profile_id

SUITE = Suite(
    stage="published",
    table="published.profiles",
    owner="profiles",
    rules=(
        error("HoldsNoContactData", "No raw contact data is published."),
        profile_id(),
        *not_after_as_of(
            "first_seen_at", "last_seen_at", "last_session_at", "first_order_at", "last_order_at"
        ),
        *not_negative("session_count", "order_count"),
    ),
)
