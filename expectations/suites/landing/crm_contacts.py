"""Landed CRM contacts: provenance, readable addresses and times."""

from expectations.spec import Suite, warn
from expectations.suites.common import landed, mostly_emails, mostly_times

SUITE = Suite(
    stage="landing",
    table="landing.crm_contacts",
    owner="data",
    rules=(
        *landed(),
        mostly_emails(),
        *mostly_times("created_at", "updated_at", "birth_date"),
        warn(
            "MatchesPattern",
            "At least 80% of the phone numbers have 7 to 15 digits, however written.",
            column="phone",
            pattern=r"\D*(\d\D*){7,15}",
            mostly=0.8,
        ),
    ),
)
