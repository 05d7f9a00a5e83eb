"""Landed service tickets: provenance, readable times and scores."""

from expectations.spec import Suite
from expectations.suites.common import landed, mostly_emails, mostly_numbers, mostly_times

SUITE = Suite(
    stage="landing",
    table="landing.crm_tickets",
    owner="data",
    rules=(
        *landed(),
        mostly_emails(),
        *mostly_times("opened_at", "closed_at"),
        *mostly_numbers("satisfaction"),
    ),
)
