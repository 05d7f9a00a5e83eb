"""Expectations on the shape of a value."""

from typing import Any, Literal

from expectations.custom.base import RowRule, named, quoted

PROFILE_ID = "p_[0-9a-f]{20}"


class MatchesPattern(RowRule):
    """The whole value matches a regular expression (RE2).

    Great Expectations' own class for this has no DuckDB form.
    """

    pattern: str

    @classmethod
    def breaks(cls, values: dict[str, Any]) -> str:
        """Values the pattern does not match from end to end."""
        column, pattern = named(values["column"]), quoted(values["pattern"])
        return f"not regexp_full_match(cast({column} as varchar), {pattern})"


class ReadsAs(RowRule):
    """Landed text can be read as a type; blank is absent. The same reading as staging's."""

    type_name: Literal["double", "timestamptz", "date"]

    @classmethod
    def breaks(cls, values: dict[str, Any]) -> str:
        """Text that staging would take for none of the type."""
        text = f"nullif(trim({named(values['column'])}), '')"
        return f"{text} is not null and try_cast({text} as {values['type_name']}) is null"


class IsProfileId(RowRule):
    """A profile_id is `p_` and 20 hexadecimal digits; null is none."""

    column: str = "profile_id"

    @classmethod
    def applies(cls, values: dict[str, Any]) -> str:
        """Every row: a row of nobody is an error too."""
        return "true"

    @classmethod
    def breaks(cls, values: dict[str, Any]) -> str:
        """Anything of another shape, among it raw identifiers."""
        column = named(values.get("column", "profile_id"))
        return f"not coalesce(regexp_full_match({column}, {quoted(PROFILE_ID)}), false)"


class IsValidJson(RowRule):
    """The value parses as JSON."""

    @classmethod
    def breaks(cls, values: dict[str, Any]) -> str:
        """Text that is no JSON."""
        return f"not json_valid({named(values['column'])})"


class IsJsonObject(RowRule):
    """The value parses as a JSON object: `{...}`, no list, text or number."""

    @classmethod
    def breaks(cls, values: dict[str, Any]) -> str:
        """Text that is no JSON, and JSON of another kind."""
        column = named(values["column"])
        kind = f"case when json_valid({column}) then json_type({column}) end"
        return f"coalesce({kind}, '') <> 'OBJECT'"


class IsDocumented(RowRule):
    """Each named thing has a text of at least ten characters; those that do not are named.

    `column` holds the text, `names` what it is about; never use it on names of people.
    """

    names: str

    @classmethod
    def query(cls, values: dict[str, Any]) -> str:
        """Counts and lists the undocumented."""
        lacks = f"length(coalesce(trim({named(values['column'])}), '')) < 10"
        return (
            f"select count(*) filter (where {lacks}) as found, count(*) as total, "
            f"coalesce('no text for ' || string_agg({named(values['names'])}, ', ' order by "
            f"{named(values['names'])}) filter (where {lacks}), 'all have one') as observed "
            "from {batch}"
        )
