"""Published catalogue: each segment is explained and owned."""

from expectations.spec import Suite, error, warn
from expectations.suites.common import not_negative

SUITE = Suite(
    stage="published",
    table="published.segment_catalog",
    owner="growth",
    rules=(
        warn("HoldsNoContactData", "Descriptions and owners name no address."),
        error(
            "MatchesPattern",
            "The definition hash is 12 hexadecimal digits.",
            column="definition_hash",
            pattern="[0-9a-f]{12}",
        ),
        warn(
            "ExpectColumnValuesToNotBeNull",
            "Each segment says who answers for it.",
            column="owner",
        ),
        warn(
            "IsDocumented",
            "Each segment's YAML describes it in a sentence.",
            column="description",
            names="segment",
        ),
        *not_negative("size"),
    ),
)
