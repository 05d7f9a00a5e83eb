"""Accepted web events: what sessions, carts and triggers are made of."""

from expectations.spec import Suite, warn
from expectations.suites.common import normal_email, not_after_landing, rarely_negative, staged

SUITE = Suite(
    stage="staging",
    table="staging.stg_web__events",
    owner="data",
    rules=(
        *staged(),
        normal_email(),
        *not_after_landing("occurred_at", "received_at"),
        *rarely_negative("dwell_seconds", "scroll_depth"),
        warn(
            "IsValidJson",
            "At least 99% of the payloads in properties parse as JSON.",
            column="properties",
            mostly=0.99,
        ),
        warn(
            "ExpectColumnValuesToBeBetween",
            "At most 1% of the page views last over a day.",
            column="dwell_seconds",
            max_value=86_400,
            mostly=0.99,
        ),
        warn(
            "ExpectColumnValuesToNotBeNull",
            "At least 80% of the events carry a device.",
            column="anonymous_id",
            mostly=0.8,
        ),
    ),
)
