"""Published contact points: the one table that holds them in the raw."""

from expectations.spec import Suite, error, warn
from expectations.suites.common import EMAIL, profile_id

SUITE = Suite(
    stage="published",
    table="published.profile_contact_points",
    owner="profiles",
    rules=(
        profile_id(),
        error(
            "MatchesPattern",
            "A channel is one of four.",
            column="channel",
            pattern="email|sms|push|onsite",
        ),
        warn(
            "MatchesPattern",
            "At least 95% of contact points are an address, a number or the id of a device.",
            column="contact_point",
            pattern=rf"{EMAIL}|[+][0-9]{{5,15}}|raw:[0-9]{{7,15}}|[^@\s]+",
            mostly=0.95,
        ),
    ),
)
