"""What a kept model is, and how it scores rows: with reasons, the same for all kinds.

This is what `model.joblib` holds; scoring needs nothing else.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestration.predictions.contributions import Explainer
from orchestration.predictions.drift import SCORE, Spreads, counts
from orchestration.predictions.encoding import Encoding, Matrix
from orchestration.predictions.metrics import Values

REASONS = 3


@dataclass(frozen=True)
class Reasons:
    """The features that count most for each row: rows x REASONS; -1 where there are fewer."""

    feature: NDArray[np.intp]
    effect: Values


@dataclass(frozen=True)
class Scored:
    """Scores of some rows; `label` is the position of the cluster, of models that have them."""

    score: Values
    label: NDArray[np.intp] | None
    reasons: Reasons
    counts: dict[str, list[int]]


@dataclass
class Predictor:
    """A trained model that gives a number for each row."""

    encoding: Encoding
    estimator: Any
    is_probability: bool
    spreads: Spreads

    @cached_property
    def explainer(self) -> Explainer:
        """Made once; not kept in the file."""
        return Explainer(self.estimator, self.encoding, self.is_probability)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "explainer"}

    @property
    def labels(self) -> tuple[str, ...]:
        """It tells numbers, not labels."""
        return ()

    def score(self, matrix: Matrix) -> Scored:
        """Score rows."""
        score, added = self.explainer.explain(matrix)
        return Scored(
            score, None, top_reasons(added), binned(self.encoding, self.spreads, matrix, score)
        )


def binned(
    encoding: Encoding, spreads: Spreads, matrix: Matrix, score: Values
) -> dict[str, list[int]]:
    """How the rows are spread over the bins of the training rows."""
    told = {
        column.label: counts(spreads[column.label], matrix[:, place])
        for place, column in enumerate(encoding.columns)
    }
    return {**told, SCORE: counts(spreads[SCORE], score)} if SCORE in spreads else told


def top_reasons(added: Matrix) -> Reasons:
    """Of each row the features that add or take most, the strongest first; of equals the first."""
    rows, features = added.shape
    kept = min(REASONS, features)
    strength = np.abs(added)
    place = np.full((rows, REASONS), -1, dtype=np.intp)
    effect = np.zeros((rows, REASONS))
    for rank in range(kept):
        best = strength.argmax(axis=1)
        is_told = strength[np.arange(rows), best] > 0
        place[:, rank] = np.where(is_told, best, -1)
        effect[:, rank] = np.where(is_told, added[np.arange(rows), best], 0.0)
        strength[np.arange(rows), best] = -1.0
    return Reasons(place, effect)
