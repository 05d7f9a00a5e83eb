"""Overrides of identity: a decision without its author and cause is none."""

from expectations.spec import Suite, error

SUITE = Suite(
    stage="landing",
    table="landing.identity_overrides",
    owner="profiles",
    rules=tuple(
        error("ExpectColumnValuesToNotBeNull", words, column=column)
        for column, words in (
            ("override_id", "Each override has a name."),
            ("action", "Each override says what it does."),
            ("told_by", "Each override says who decided it."),
            ("why", "Each override says why."),
            ("_landed_at", "Each override says when it was decided."),
        )
    ),
)
