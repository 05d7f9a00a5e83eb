"""Releases from quarantine: a decision without its author and cause is none."""

from expectations.spec import Suite, error

SUITE = Suite(
    stage="landing",
    table="landing.plan_releases",
    owner="data",
    rules=tuple(
        error("ExpectColumnValuesToNotBeNull", words, column=column)
        for column, words in (
            ("event_name", "Each release says which events it lets through."),
            ("released_by", "Each release says who decided it."),
            ("why", "Each release says why."),
            ("_landed_at", "Each release says when it was decided."),
        )
    ),
)
