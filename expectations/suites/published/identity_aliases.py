"""Published aliases: an id that is no longer used, and whom it means."""

from expectations.spec import Suite, error

SUITE = Suite(
    stage="published",
    table="published.identity_aliases",
    owner="profiles",
    rules=(
        error("HoldsNoContactData", "No raw contact data is published."),
        error(
            "IsProfileId",
            "alias_profile_id is `p_` and 20 hexadecimal digits.",
            column="alias_profile_id",
        ),
        error("IsProfileId", "profile_id is `p_` and 20 hexadecimal digits.", column="profile_id"),
    ),
)
