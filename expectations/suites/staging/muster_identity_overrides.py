"""Overrides of identity: each says what, who and why."""

from expectations.spec import Suite, error

SUITE = Suite(
    stage="staging",
    table="staging.stg_muster__identity_overrides",
    owner="profiles",
    rules=(
        error(
            "MatchesPattern",
            "An override splits, links, blocks or is taken back.",
            column="action",
            pattern="split|link|block|undo",
        ),
        *(
            error("ExpectColumnValuesToNotBeNull", words, column=column)
            for column, words in (
                ("override_id", "Each override has a name."),
                ("told_by", "Each override says who decided it."),
                ("why", "Each override says why."),
            )
        ),
    ),
)
