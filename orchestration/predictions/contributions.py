"""What each feature adds to a score: exact for the model that gave it, in one pass with the score.

Linear models: coefficient times standardised value, so the average profile has none. Trees: the
change of the node's value at each split on the way to the leaf, given to the feature that is split
on (Saabas 2014, "Interpreting random forests"); forests have the mean over trees, boosting the sum.
In both, the contributions and a constant add up to the margin: the log-odds of logistic regression
and boosting, the log of a boosted amount, else the score itself. They tell why this model says so,
not what would happen if a value were changed.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestration.predictions.encoding import Encoding, Matrix
from orchestration.predictions.families import signed_log
from orchestration.predictions.metrics import Values

_FindLeaves = Callable[[Matrix], NDArray[np.intp]]


@dataclass(frozen=True)
class _Tree:
    """A tree as a table: what each feature adds on the way to each node.

    `used` are the features on any way; `table` is used x nodes.
    """

    find_leaves: _FindLeaves
    used: NDArray[np.intp]
    table: NDArray[np.float64]


class Explainer:
    """Scores and contributions of one trained estimator.

    Args:
        estimator: of families.fresh, trained.
        encoding: of the matrix it was trained on.
        is_probability: whether it gives a probability, not an amount.
    """

    def __init__(self, estimator: Any, encoding: Encoding, is_probability: bool) -> None:
        self._feature_of = encoding.feature_of
        self._count = len(encoding.features)
        self._is_probability = is_probability
        self._estimator = estimator
        self._trees: list[_Tree] = []
        self._share, self._constant = 1.0, 0.0
        kind = type(estimator).__name__
        self.is_linear = kind == "Pipeline"
        self.is_boosted = kind.startswith("HistGradientBoosting")
        if self.is_boosted:
            self._constant = float(np.ravel(estimator._baseline_prediction)[0])
            # Private, and pinned with scikit-learn: boosting's trees have no other way in. A test
            # compares what is made of them with the estimator's own predictions.
            for (predictor,) in estimator._predictors:
                self._add(*_boosted(predictor, len(self._feature_of)))
        elif not self.is_linear:
            trees = getattr(estimator, "estimators_", [estimator])
            self._share = 1.0 / len(trees)
            for one in trees:
                self._add(*_grown(one, is_probability))

    def explain(self, matrix: Matrix) -> tuple[Values, Matrix]:
        """Scores of the rows, and what each feature adds: rows x features, in margin's unit."""
        if self.is_linear:
            margin, added = self._linear(matrix)
        else:
            by_feature = np.zeros((self._count, len(matrix)))
            for tree in self._trees:
                leaves = tree.find_leaves(matrix)
                for feature, adds in zip(tree.used, tree.table, strict=True):
                    by_feature[feature] += adds[leaves]
            added = by_feature.T * self._share
            margin = self._constant + added.sum(axis=1)
        return self._score(margin), added

    def _score(self, margin: Values) -> Values:
        has_logit = self._is_probability and (self.is_linear or self.is_boosted)
        if has_logit:
            odds: Values = 1.0 / (1.0 + np.exp(-margin))
            return odds
        if self.is_boosted:
            amounts: Values = np.exp(margin)
            return amounts
        return margin if self._is_probability else np.maximum(margin, 0.0)

    def _linear(self, matrix: Matrix) -> tuple[Values, Matrix]:
        scaler, last = self._estimator[1], self._estimator[2]
        weighted = scaler.transform(signed_log(matrix)) * np.ravel(last.coef_)
        added = np.zeros((len(matrix), self._count))
        for column, feature in enumerate(self._feature_of):
            added[:, feature] += weighted[:, column]
        return float(np.ravel(last.intercept_)[0]) + weighted.sum(axis=1), added

    def _add(self, find_leaves: _FindLeaves, nodes: "_Nodes", root: float) -> None:
        table = np.zeros((len(nodes.value), self._count))
        for node in range(len(nodes.value)):  # parents stand before their children
            if nodes.left[node] < 0:
                continue
            feature = self._feature_of[nodes.column[node]]
            for child in (nodes.left[node], nodes.right[node]):
                table[child] = table[node]
                table[child, feature] += nodes.value[child] - nodes.value[node]
        used = np.flatnonzero(np.any(table != 0, axis=0))
        self._trees.append(_Tree(find_leaves, used, np.ascontiguousarray(table[:, used].T)))
        self._constant += root * self._share


@dataclass(frozen=True)
class _Nodes:
    """Nodes of a tree as arrays; `left` and `right` are -1 at a leaf."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    column: NDArray[np.int64]
    value: Values


def _grown(tree: Any, is_probability: bool) -> tuple[_FindLeaves, _Nodes, float]:
    """A decision tree of scikit-learn, alone or of a forest."""
    grown = tree.tree_
    value = grown.value[:, 0, :]
    told = value[:, 1] / value.sum(axis=1) if is_probability else value[:, 0]
    nodes = _Nodes(
        grown.children_left.astype(np.int64),
        grown.children_right.astype(np.int64),
        grown.feature.astype(np.int64),
        told,
    )

    def find(matrix: Matrix) -> NDArray[np.intp]:
        leaves: NDArray[np.intp] = grown.apply(np.ascontiguousarray(matrix, dtype=np.float32))
        return leaves

    return find, nodes, float(told[0])


def _boosted(predictor: Any, columns: int) -> tuple[_FindLeaves, _Nodes, float]:
    """A tree of histogram gradient boosting; its leaves are found by a copy that tells them."""
    stored = predictor.nodes
    is_leaf = stored["is_leaf"].astype(bool)
    left = np.where(is_leaf, -1, stored["left"].astype(np.int64))
    right = np.where(is_leaf, -1, stored["right"].astype(np.int64))
    value = stored["value"].astype(np.float64).copy()
    count = stored["count"].astype(np.float64)
    for node in range(len(value) - 1, -1, -1):
        if left[node] >= 0:  # the value of a node is the mean of its rows' leaves
            pair = [left[node], right[node]]
            value[node] = float(np.average(value[pair], weights=count[pair]))
    finder = copy.copy(predictor)
    finder.nodes = stored.copy()
    finder.nodes["value"] = np.arange(len(stored))
    no_categories = np.zeros((0, 8), dtype=np.uint32)
    places = np.zeros(columns, dtype=np.uint32)

    def find(matrix: Matrix) -> NDArray[np.intp]:
        told = finder.predict(np.ascontiguousarray(matrix), no_categories, places, 1)
        return np.asarray(told, dtype=np.intp)

    nodes = _Nodes(left, right, stored["feature_idx"].astype(np.int64), value)
    return find, nodes, float(value[0])
