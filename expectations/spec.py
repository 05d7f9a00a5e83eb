"""What an expectation, a suite and a result are, in plain Python.

Great Expectations takes seconds to import, so suites are written in these words and become its
objects only when a stage is validated (`engine.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warn"]
"""`error` stops what is downstream, `warn` alerts."""


@dataclass(frozen=True)
class Rule:
    """One expectation on one table.

    `expectation` is the name of a class of `expectations.custom`, else of Great Expectations
    itself; `arguments` are that class's fields. `owner` is the suite's unless given.
    """

    expectation: str
    description: str
    severity: Severity
    arguments: Mapping[str, object] = field(default_factory=dict)
    owner: str | None = None

    @property
    def name(self) -> str:
        """The class with the column it looks at, such as `MatchesPattern(email)`."""
        column = self.arguments.get("column")
        return self.expectation if column is None else f"{self.expectation}({column})"


@dataclass(frozen=True)
class Suite:
    """All expectations on one table, `schema.table`."""

    stage: str
    table: str
    owner: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Result:
    """What came of one rule. `observed` is short and never holds a value of the data."""

    stage: str
    table: str
    expectation: str
    severity: Severity
    passed: bool
    observed: str
    description: str
    owner: str


def error(expectation: str, description: str, **arguments: object) -> Rule:
    """A rule that stops what is downstream when it fails."""
    return Rule(expectation, description, "error", arguments)


def warn(expectation: str, description: str, **arguments: object) -> Rule:
    """A rule that alerts when it fails."""
    return Rule(expectation, description, "warn", arguments)
