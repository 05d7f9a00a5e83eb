"""Lines that no reader could make a record of: each must say where it was and why it failed."""

from expectations.spec import Suite, error

SUITE = Suite(
    stage="landing",
    table="landing._rejected_lines",
    owner="data",
    rules=(
        error("HasProvenance", "Each line says which file, row and load it came from, and when."),
        error(
            "ExpectColumnValuesToNotBeNull",
            "Each line says why it could not be read.",
            column="reason",
        ),
    ),
)
