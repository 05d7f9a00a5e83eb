"""Landed web events: provenance, readable times and numbers, payload that parses."""

from expectations.spec import Suite, warn
from expectations.suites.common import landed, mostly_emails, mostly_numbers, mostly_times

SUITE = Suite(
    stage="landing",
    table="landing.web_events",
    owner="data",
    rules=(
        *landed(),
        mostly_emails(),
        *mostly_times("occurred_at", "received_at"),
        *mostly_numbers("quantity", "value", "dwell_seconds", "scroll_depth"),
        warn(
            "IsValidJson",
            "At least 99% of the payloads in properties parse as JSON.",
            column="properties",
            mostly=0.99,
        ),
    ),
)
