"""Landed answers to messages: provenance, readable addresses and times."""

from expectations.spec import Suite
from expectations.suites.common import landed, mostly_emails, mostly_times

SUITE = Suite(
    stage="landing",
    table="landing.crm_interactions",
    owner="data",
    rules=(
        *landed(),
        mostly_emails(),
        *mostly_times("occurred_at"),
    ),
)
