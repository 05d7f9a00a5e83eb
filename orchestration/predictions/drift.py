"""Population stability index: how far features and scores lie from those a model was trained on.

PSI = sum over bins of (now - then) * ln(now / then), with bins at the training rows' deciles
(Siddiqi 2006, Credit Risk Scorecards). Below 0.1 is steady, above 0.2 asks for a new model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.predictions.encoding import Encoding, Matrix
from orchestration.predictions.metrics import Values

_BINS = 10
_LEAST_SHARE = 1e-4  # of an empty bin, so that its logarithm is finite
SCORE = "score"


@dataclass(frozen=True)
class Spread:
    """How a value was spread: inner edges of its bins, and the share of rows in each bin."""

    edges: tuple[float, ...]
    shares: tuple[float, ...]


Spreads = Mapping[str, Spread]


def spread_of(values: Values) -> Spread:
    """Bins at the deciles; equal deciles are one edge, so a mostly constant value has few bins."""
    quantiles = np.quantile(values, np.linspace(0, 1, _BINS + 1)[1:-1])
    edges = tuple(float(one) for one in np.unique(quantiles))
    return Spread(edges, _shares(values, edges))


def spreads_of(encoding: Encoding, matrix: Matrix, score: Values) -> dict[str, Spread]:
    """Of each column by its label, and of the score."""
    told = {
        column.label: spread_of(matrix[:, place]) for place, column in enumerate(encoding.columns)
    }
    return {**told, SCORE: spread_of(score)}


def stability(reference: Spreads, now: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """PSI of each value; `now` are counts of rows by bin, as `counts` gives them."""
    found = {}
    for name, spread in reference.items():
        total = sum(now[name])
        then = np.maximum(np.array(spread.shares), _LEAST_SHARE)
        shares = np.maximum(np.array(now[name]) / max(total, 1), _LEAST_SHARE)
        found[name] = float(np.sum((shares - then) * np.log(shares / then)))
    return found


def counts(spread: Spread, values: Values) -> list[int]:
    """Rows in each bin of a spread; counts of several parts can be added."""
    return [int(one) for one in _binned(values, spread.edges)]


def _binned(values: Values, edges: Sequence[float]) -> NDArray[np.intp]:
    # A value on an edge belongs below it, so that many zeros fill a bin of their own.
    bins = np.searchsorted(np.asarray(edges), values, side="left")
    return np.bincount(bins, minlength=len(edges) + 1)


def _shares(values: Values, edges: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(one) for one in _binned(values, edges) / max(len(values), 1))
