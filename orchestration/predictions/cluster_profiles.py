"""What clusters are like, in figures and in a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orchestration.predictions.cluster_grouping import Labels
from orchestration.predictions.encoding import Matrix

_TOLD = 3
_LEAST_DEVIATION = 0.5


@dataclass(frozen=True)
class Profiles:
    """Means of each cluster: clusters x columns.

    `means` are in standard deviations from everybody's mean (of the signed logarithm), `values` in
    the features' own units, `everybody` is the mean value of all rows.
    """

    means: Matrix
    values: Matrix
    everybody: Matrix

    @classmethod
    def of(cls, rows: Matrix, values: Matrix, labels: Labels) -> "Profiles":
        """Those of some rows, standardised and as they are; a cluster without rows has 0."""
        count = int(labels.max()) + 1
        members = np.maximum(np.bincount(labels, minlength=count), 1)[:, None]
        sums = [np.zeros((count, rows.shape[1])) for _ in range(2)]
        for total, some in zip(sums, (rows, values), strict=True):
            np.add.at(total, labels, some)
        return cls(
            (sums[0] / members).round(9), (sums[1] / members).round(9), values.mean(axis=0).round(9)
        )


def described(columns: Sequence[str], profiles: Profiles) -> tuple[str, ...]:
    """What sets each cluster apart, the most extreme first."""
    return tuple(
        _described(columns, means, values, profiles.everybody)
        for means, values in zip(profiles.means, profiles.values, strict=True)
    )


def _described(columns: Sequence[str], means: Matrix, values: Matrix, everybody: Matrix) -> str:
    strength = np.abs(means)
    order = np.argsort(-strength, kind="stable")[:_TOLD]
    told = [place for place in order if strength[place] >= _LEAST_DEVIATION]
    if not told:
        return "close to everybody in all features"
    return "; ".join(
        f"{columns[place]} {strength[place]:.1f} sd {'above' if means[place] > 0 else 'below'} "
        f"everybody (mean {number(values[place])} against {number(everybody[place])})"
        for place in told
    )


def number(value: float) -> str:
    """A mean with three figures that count, and never less than the whole part."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
