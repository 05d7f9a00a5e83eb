"""The kinds of models that compete, simplest first, each with a small, bounded search.

All are scikit-learn's, with its defaults except where said. A family's settings are tried in order
at the validation cutoff; `fresh` makes an untrained estimator of one of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from orchestration.predictions.encoding import Matrix

Setting = Mapping[str, Any]


@dataclass(frozen=True)
class Family:
    """A kind of model. `words` is its name for people."""

    name: str
    words: str
    settings: tuple[Setting, ...]


_LINEAR: tuple[Setting, ...] = ({"strength": 0.1}, {"strength": 1.0})
_TREE: tuple[Setting, ...] = ({"max_depth": 4}, {"max_depth": 6})
_FOREST: tuple[Setting, ...] = ({"max_depth": 6}, {"max_depth": 10})
_BOOSTING: tuple[Setting, ...] = (
    {"learning_rate": 0.1, "max_iter": 40},
    {"learning_rate": 0.05, "max_iter": 80},
)

CLASSIFIERS = (
    Family("logistic_regression", "logistic regression", _LINEAR),
    Family("decision_tree", "decision tree", _TREE),
    Family("random_forest", "random forest", _FOREST),
    Family("gradient_boosting", "gradient boosting", _BOOSTING),
)
REGRESSORS = (
    Family("ridge_regression", "ridge regression", _LINEAR),
    Family("decision_tree", "decision tree", _TREE),
    Family("random_forest", "random forest", _FOREST),
    Family("gradient_boosting", "gradient boosting", _BOOSTING),
)


def signed_log(matrix: Matrix) -> Matrix:
    """sign(x) log(1 + |x|): counts and amounts spread over decades come closer together."""
    squeezed: Matrix = np.sign(matrix) * np.log1p(np.abs(matrix))
    return squeezed


def fresh(family: str, setting: Setting, is_probability: bool, rows: int, seed: int) -> Any:
    """An untrained estimator; leaves hold at least a thousandth of the rows, and 10.

    Gradient boosting of amounts has the Poisson loss: they are never negative and mostly zero.
    """
    leaf = max(10, rows // 1000)
    if family in {"logistic_regression", "ridge_regression"}:
        return _linear(is_probability, setting["strength"])
    if family == "decision_tree":
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        tree = DecisionTreeClassifier if is_probability else DecisionTreeRegressor
        return tree(min_samples_leaf=leaf, random_state=seed, **setting)
    if family == "random_forest":
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        forest = RandomForestClassifier if is_probability else RandomForestRegressor
        return forest(
            n_estimators=40, max_features="sqrt", min_samples_leaf=max(5, leaf // 2), n_jobs=2,
            random_state=seed, **setting,
        )  # fmt: skip
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    shared = {"max_leaf_nodes": 15, "min_samples_leaf": leaf, "early_stopping": False}
    if is_probability:
        return HistGradientBoostingClassifier(random_state=seed, **shared, **setting)
    return HistGradientBoostingRegressor(loss="poisson", random_state=seed, **shared, **setting)


def _linear(is_probability: bool, strength: float) -> Any:
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    last = (
        LogisticRegression(C=strength, max_iter=1000)
        if is_probability
        else Ridge(alpha=1.0 / strength)
    )
    return make_pipeline(FunctionTransformer(signed_log), StandardScaler(), last)


def predicted(estimator: Any, matrix: Matrix, is_probability: bool) -> Matrix:
    """Probabilities, or amounts of at least 0, one for each row."""
    if is_probability:
        found: Matrix = estimator.predict_proba(matrix)[:, 1]
        return found
    amounts: Matrix = np.maximum(estimator.predict(matrix), 0.0)
    return amounts
