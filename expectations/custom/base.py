"""The form all our named expectations share: count the rows that break a condition.

The query answers with one row: `found` rows of `total` break the rule, and optionally `observed`, a
text to show instead. Rows themselves are never fetched, so nothing personal can be stored.
"""

from typing import Any, ClassVar

from great_expectations.compatibility import pydantic
from great_expectations.expectations.core.unexpected_rows_expectation import (
    UnexpectedRowsExpectation,
)


def quoted(text: object) -> str:
    """A SQL string literal."""
    return "'" + str(text).replace("'", "''") + "'"


def named(column: object) -> str:
    """A quoted SQL identifier."""
    return '"' + str(column).replace('"', '""') + '"'


def braces_kept(sql: str) -> str:
    """SQL in which every brace stands for itself; Great Expectations fills in `{batch}`."""
    return sql.replace("{", "{{").replace("}", "}}")


class RowRule(UnexpectedRowsExpectation):
    """Passes when at least the share `mostly` of the rows it applies to keeps the rule.

    A table without such rows passes: a source may be absent.
    """

    column: str | None = None
    mostly: float = pydantic.Field(default=1.0, ge=0.0, le=1.0)
    unexpected_rows_query: str = ""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.table",)

    @pydantic.root_validator(pre=True)
    def _compose(cls, values: dict[str, Any]) -> dict[str, Any]:  # noqa: N805  # pydantic's form
        """The query follows from the other fields, so that a suite cannot contradict itself."""
        return {**values, "unexpected_rows_query": cls.query(values)}

    @classmethod
    def query(cls, values: dict[str, Any]) -> str:
        """SQL over `{batch}` that gives `found` and `total`, and may give `observed`."""
        breaks, applies = braces_kept(cls.breaks(values)), braces_kept(cls.applies(values))
        return (
            f"select count(*) filter (where {breaks}) as found, count(*) as total "
            f"from (select * from {{batch}}) as checked where {applies}"
        )

    @classmethod
    def breaks(cls, values: dict[str, Any]) -> str:
        """SQL condition of a row that breaks the rule; the row's alias is `checked`."""
        raise NotImplementedError

    @classmethod
    def applies(cls, values: dict[str, Any]) -> str:
        """SQL condition of the rows that are looked at: here those whose column has a value."""
        return f"{named(values['column'])} is not null" if values.get("column") else "true"

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        (counted,) = metrics["unexpected_rows_query.table"]
        found, total = counted["found"], counted["total"]
        observed = counted.get("observed") or f"{found:,} of {total:,} rows break it"
        return {
            "success": found <= (1 - self.mostly) * total,
            "result": {"observed_value": observed},
        }
