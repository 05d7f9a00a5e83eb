"""Landed consents: provenance, readable addresses and times."""

from expectations.spec import Suite
from expectations.suites.common import landed, mostly_emails, mostly_times

SUITE = Suite(
    stage="landing",
    table="landing.crm_consents",
    owner="privacy",
    rules=(
        *landed(),
        mostly_emails(),
        *mostly_times("occurred_at"),
    ),
)
