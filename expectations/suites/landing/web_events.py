"""Landed web events: provenance, readable times and numbers, payload that parses."""

from expectations.spec import Suite
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
    ),
)
