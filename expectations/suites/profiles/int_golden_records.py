"""What is known of a person: contact points and traits in the form others rely on."""

from expectations.spec import Suite, warn
from expectations.suites.common import normal_email, profile_id

SUITE = Suite(
    stage="profiles",
    table="intermediate.int_golden_records",
    owner="profiles",
    rules=(
        profile_id(),
        normal_email(),
        warn(
            "MatchesPattern",
            "At least 95% of the countries are two capital letters (ISO 3166-1).",
            column="country",
            pattern="[A-Z]{2}",
            mostly=0.95,
        ),
        warn(
            "MatchesPattern",
            "At least 95% of the time zones are names of IANA's form.",
            column="timezone",
            pattern="UTC|[A-Z][A-Za-z_]+(/[A-Za-z0-9_+-]+)+",
            mostly=0.95,
        ),
    ),
)
