"""Features as a matrix of numbers: which columns a model sees, as SQL, fixed when it is trained."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import duckdb

Matrix = NDArray[np.float64]

_MOST_VALUES = 12
_LEAST_SHARE = 0.02
_KEY = "profile_id"


@dataclass(frozen=True)
class Column:
    """One column of the matrix: of a feature, or of one value of a feature that is text."""

    feature: str
    value: str | None = None

    @property
    def label(self) -> str:
        """As people read it."""
        return self.feature if self.value is None else f"{self.feature} is {self.value}"

    @property
    def sql(self) -> str:
        """A number that is never null."""
        if self.value is None:
            return f'coalesce(cast("{self.feature}" as double), 0)'
        quoted = self.value.replace("'", "''")
        return f"""case when "{self.feature}" = '{quoted}' then 1e0 else 0e0 end"""


@dataclass(frozen=True)
class Encoding:
    """The columns in their order. A value of text that is not among them is 0 in all of them."""

    columns: tuple[Column, ...]

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The features, each once, in the order of the columns."""
        return tuple(dict.fromkeys(column.feature for column in self.columns))

    @cached_property
    def feature_of(self) -> NDArray[np.intp]:
        """For each column the position of its feature."""
        return np.array([self.features.index(one.feature) for one in self.columns], dtype=np.intp)

    @property
    def sql(self) -> str:
        """The columns as a list of SQL expressions, named c0, c1, ..."""
        return ", ".join(f"{one.sql} as c{number}" for number, one in enumerate(self.columns))


def learn_encoding(
    connection: "duckdb.DuckDBPyConnection", rows: str, only: Iterable[str] = ()
) -> Encoding:
    """The columns that training data asks for: of text, its frequent values; no constants.

    Args:
        connection: to run it.
        rows: a query of features.
        only: the features to take; all if none is named.
    """
    described = connection.execute(f"describe ({rows})").fetchall()
    wanted = set(only)
    columns: list[Column] = []
    for name, kind, *_ in described:
        if name == _KEY or (wanted and name not in wanted):
            continue
        if kind == "VARCHAR":
            columns.extend(Column(name, value) for value in _frequent(connection, rows, name))
        else:
            columns.append(Column(name))
    spans = ", ".join(f"max({one.sql}) > min({one.sql})" for one in columns)
    varies = connection.execute(f"select {spans} from ({rows})").fetchone() if columns else ()
    return Encoding(
        tuple(one for one, is_told in zip(columns, varies or (), strict=True) if is_told)
    )


def _frequent(connection: "duckdb.DuckDBPyConnection", rows: str, name: str) -> list[str]:
    found = connection.execute(
        f"""select "{name}" from ({rows}) where "{name}" is not null group by all
        having count(*) >= {_LEAST_SHARE} * (select count(*) from ({rows}))
        order by count(*) desc, "{name}" limit {_MOST_VALUES}"""
    ).fetchall()
    return [row[0] for row in found]
