"""Rules that several suites hold, said once."""

from expectations.spec import Rule, error, warn

EMAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"


def landed() -> tuple[Rule, ...]:
    """What holds for every table of landing, whatever the source."""
    return (
        error("HasProvenance", "Each row says which file, row and load it came from, and when."),
        warn("LandedOnce", "No row is landed twice by one load."),
        error(
            "IsValidJson", "Columns the contract does not know are kept as JSON.", column="_extra"
        ),
        warn(
            "LastLoadLikeEarlierOnes",
            "Each source's last load has between a fifth and five times its usual rows.",
        ),
    )


def _mostly_reads_as(kind: str, type_name: str, columns: tuple[str, ...]) -> tuple[Rule, ...]:
    return tuple(
        warn(
            "ReadsAs",
            f"At least 95% of {column} can be read as {kind}.",
            column=column,
            type_name=type_name,
            mostly=0.95,
        )
        for column in columns
    )


def mostly_times(*columns: str) -> tuple[Rule, ...]:
    """Warns when a source changes how it writes times: staging would quarantine the rows."""
    return _mostly_reads_as("a time", "timestamptz", columns)


def mostly_numbers(*columns: str) -> tuple[Rule, ...]:
    """Warns when a source changes how it writes numbers: staging would quarantine the rows."""
    return _mostly_reads_as("a number", "double", columns)


def mostly_emails() -> Rule:
    """Warns when a source begins to fill `email` with something else."""
    return warn(
        "MatchesPattern",
        "At least 95% of the e-mail addresses look like one.",
        column="email",
        pattern=rf"\s*({EMAIL})?\s*",
        mostly=0.95,
    )


def staged() -> tuple[Rule, ...]:
    """What holds for every table of staging."""
    return (error("HasProvenance", "Each row can be traced to a row of a file in landing."),)


def normal_email() -> Rule:
    """Identity compares addresses letter by letter, so they must be normalised."""
    return error(
        "MatchesPattern",
        "E-mail addresses are of the form x@y.z, without capitals and blanks.",
        column="email",
        pattern=r"[^@\sA-Z]+@[^@\s.A-Z]+([.][^@\s.A-Z]+)+",
    )


def normal_phone() -> Rule:
    """Numbers of different countries must never look alike, so national ones are marked."""
    return error(
        "MatchesPattern",
        "Phone numbers are E.164, or marked as national ones of an unknown country.",
        column="phone",
        pattern=r"[+][1-9][0-9]{4,14}|raw:[0-9]{7,15}",
    )


def not_after_landing(*columns: str) -> tuple[Rule, ...]:
    """Warns of clocks that run ahead, and of days and months swapped."""
    return tuple(
        warn(
            "NotAfterLanding",
            f"{column} is not more than a day after the row was landed.",
            column=column,
            mostly=0.99,
        )
        for column in columns
    )


def not_negative(*columns: str) -> tuple[Rule, ...]:
    """Counts and values that our own models cannot make negative."""
    return tuple(
        error(
            "ExpectColumnValuesToBeBetween",
            f"{column} is not negative.",
            column=column,
            min_value=0,
        )
        for column in columns
    )


def rarely_negative(*columns: str) -> tuple[Rule, ...]:
    """Amounts that a source should not write below zero; staging accepts them."""
    return tuple(
        warn(
            "ExpectColumnValuesToBeBetween",
            f"At least 99% of {column} is not negative.",
            column=column,
            min_value=0,
            mostly=0.99,
        )
        for column in columns
    )


def profile_id() -> Rule:
    """The shape also proves that no raw identifier stands where a profile_id should."""
    return error(
        "IsProfileId", "profile_id is `p_` and 20 hexadecimal digits.", column="profile_id"
    )


def not_after_as_of(*columns: str) -> tuple[Rule, ...]:
    """A run may only know what had happened by its as_of."""
    return tuple(
        error("NotAfterAsOf", f"{column} is not after as_of.", column=column) for column in columns
    )


def currency() -> Rule:
    """ISO 4217 codes, without deciding which."""
    return warn(
        "MatchesPattern",
        "Currencies are three capital letters (ISO 4217).",
        column="currency",
        pattern="[A-Z]{3}",
    )


def candidate() -> tuple[Rule, ...]:
    """What holds for every candidate of a trigger. That its key is unique is tested by dbt."""
    return (
        profile_id(),
        *(
            error(
                "ExpectColumnValuesToNotBeNull",
                f"Without {column} nobody knows which occurrence it is, or when to act.",
                column=column,
            )
            for column in ("occurrence_key", "occurred_at", "available_at", "expires_at", "payload")
        ),
        error("IsJsonObject", "The payload is a JSON object.", column="payload"),
        error(
            "NotBefore",
            "Nothing may be acted on before it happened.",
            column="available_at",
            earlier="occurred_at",
        ),
        error(
            "NotBefore",
            "Nothing expires before it may be acted on.",
            column="expires_at",
            earlier="available_at",
        ),
    )
