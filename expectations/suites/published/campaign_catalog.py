"""Published campaigns: what each is for, and whether it runs."""

from expectations.spec import Suite, warn

SUITE = Suite(
    stage="published",
    table="published.campaign_catalog",
    owner="growth",
    rules=(
        warn("HoldsNoContactData", "No raw contact data is published."),
        warn(
            "ExpectColumnValuesToBeNull",
            "Every file of campaigns/ is a campaign; the others run without it.",
            column="fault",
        ),
    ),
)
