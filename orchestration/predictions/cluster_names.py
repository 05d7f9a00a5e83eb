"""Names of clusters: by the rules of `predictions.yml` where one holds, else by what is extreme.

A rule is SQL over the cluster's mean of each feature, as far as it lies from everybody's, in
standard deviations. A name that a cluster has already is kept as long as its rule nearly holds, so
that a small change of the data is no new name.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from orchestration.predictions.definitions import FILE, Clusters, PredictionError
from orchestration.predictions.encoding import Matrix
from orchestration.yaml_files import line_of

if TYPE_CHECKING:
    import duckdb

_SLACK = 0.2
_STILL_EXTREME = 0.5  # of the most extreme mean, for a name such as high_session_count_28d
_MOST_LOOSE = 8  # means that are tried higher and lower at once: 3 to the power of them are tried


@dataclass(frozen=True)
class Rules:
    """The rules of one clustering.

    Args:
        connection: any; nothing is read from it.
        clustering: the name in `predictions.yml`.
        entry: its definition.
    """

    connection: "duckdb.DuckDBPyConnection"
    clustering: str
    entry: Clusters

    def check(self, columns: Sequence[str]) -> None:
        """Refuse rules that are no condition on the columns.

        Raises:
            PredictionError: which rule, file and line, and what is wrong.
        """
        for name in self.entry.names:
            ((_, kind, *_),) = self._asked(name, columns, [[0.0]] * len(columns), "describe ")
            if kind != "BOOLEAN":
                raise PredictionError(f"{self._where(name)}: is no condition, but {kind.lower()}")

    def holds(self, name: str, means: Mapping[str, float], is_loose: bool = False) -> bool:
        """Whether a rule holds for the means of a cluster.

        Loosely it holds, too, if it would with some of the means a fifth nearer to its bounds.
        """
        rule = self.entry.names[name]
        loose = [column for column in means if is_loose and column in rule][:_MOST_LOOSE]
        tried = [
            [mean, mean / (1 - _SLACK), mean / (1 + _SLACK)] if column in loose else [mean]
            for column, mean in means.items()
        ]
        ((found,),) = self._asked(name, list(means), tried)
        return bool(found)

    def strength(self, name: str, means: Mapping[str, float]) -> float:
        """How far the features that a rule speaks of lie from everybody's, in all."""
        rule = self.entry.names[name]
        return sum(abs(mean) for column, mean in means.items() if column in rule)

    def _asked(
        self, name: str, columns: Sequence[str], tried: Sequence[Sequence[float]], prefix: str = ""
    ) -> list[tuple[str, ...]]:
        """Whether a rule holds with any of the values tried of each column."""
        import duckdb

        tables = ", ".join(
            f"(select unnest({[float(value) for value in values]}::double[]) as {_quoted(column)})"
            for column, values in zip(columns, tried, strict=True)
        )
        rule = f"select ({self.entry.names[name]}) as it from {tables}"
        sql = f"{prefix}{rule}" if prefix else f"select bool_or(it) from ({rule})"
        try:
            return self.connection.execute(sql).fetchall()
        except duckdb.Error as error:
            words = str(error).split("\n", maxsplit=1)[0]
            raise PredictionError(f"{self._where(name)}: {words}") from None

    def _where(self, name: str) -> str:
        line = line_of(FILE, "clusters", self.clustering, "names", name)
        return f"{FILE.name}:{line}: {self.clustering}: {name}"


def named(
    rules: Rules, columns: Sequence[str], means: Matrix, kept: Mapping[int, str]
) -> tuple[str, ...]:
    """A name for each cluster, each once.

    Args:
        rules: in the order in which they give names.
        columns: names of the means; a feature of the entry that is none of them is 0 to rules.
        means: clusters x columns, in standard deviations from everybody's.
        kept: names that clusters have from the last time.
    """
    nothing = dict.fromkeys(rules.entry.features, 0.0)
    told = [{**nothing, **dict(zip(columns, row, strict=True))} for row in means.tolist()]
    names = {
        cluster: name
        for cluster, name in sorted(kept.items())
        if name in rules.entry.names and rules.holds(name, told[cluster], is_loose=True)
    }
    for name in rules.entry.names:
        if name in names.values():
            continue
        free = [
            one for one in range(len(told)) if one not in names and rules.holds(name, told[one])
        ]
        if free:
            names[max(free, key=lambda one: (rules.strength(name, told[one]), -one))] = name
    extremes = [_by_extremes(columns, row) for row in means]
    for cluster, name in sorted(kept.items()):
        if cluster not in names and name in extremes[cluster]:
            names[cluster] = name
    for cluster in np.argsort(-np.abs(means).max(axis=1), kind="stable").tolist():
        if cluster not in names:
            names[cluster] = _free(extremes[cluster], set(names.values()))
    return tuple(names[cluster] for cluster in range(len(told)))


def _by_extremes(columns: Sequence[str], means: Matrix) -> list[str]:
    """What may be said of a cluster without a rule, the most extreme first."""
    strength = np.abs(means)
    order = np.argsort(-strength, kind="stable")
    told = [place for place in order if strength[place] >= _STILL_EXTREME * strength.max()]
    words = [re.sub("[^a-z0-9]+", "_", column.lower()) for column in columns]
    return [f"{'high' if means[place] > 0 else 'low'}_{words[place]}" for place in told]


def _free(wanted: Sequence[str], taken: set[str]) -> str:
    for name in wanted:
        if name not in taken:
            return name
    number = 2
    while f"{wanted[0]}_{number}" in taken:
        number += 1
    return f"{wanted[0]}_{number}"


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
