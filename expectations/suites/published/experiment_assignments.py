"""Published variants and control groups of campaigns."""

from expectations.spec import Suite, error
from expectations.suites.common import profile_id

SUITE = Suite(
    stage="published",
    table="published.experiment_assignments",
    owner="growth",
    rules=(
        error("HoldsNoContactData", "No raw contact data is published."),
        profile_id(),
        error(
            "ExpectColumnValuesToNotBeNull",
            "Every profile is in a variant, also of the control group.",
            column="variant",
        ),
        error(
            "ExpectColumnValuesToNotBeNull",
            "Of every profile it is told whether a merge changed what past decisions show.",
            column="changed_by_merge",
        ),
    ),
)
