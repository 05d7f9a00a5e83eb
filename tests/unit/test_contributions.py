"""Contributions add up to the score that the model itself gives, for every family."""

import numpy as np
import pytest

from orchestration.predictions.contributions import Explainer
from orchestration.predictions.encoding import Column, Encoding
from orchestration.predictions.families import CLASSIFIERS, REGRESSORS, Family, fresh, predicted
from orchestration.predictions.scored import REASONS, top_reasons

_ENCODING = Encoding(
    (*(Column(f"f{n}") for n in range(4)), Column("text", "a"), Column("text", "b"))
)


def _rows(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    rng = np.random.default_rng(seed)
    matrix = np.column_stack([rng.gamma(1, 3, (600, 4)), rng.integers(0, 2, (600, 2))])
    hits = rng.random(600) < 1 / (1 + np.exp(-(matrix[:, 0] - matrix[:, 1] + matrix[:, 5])))
    return matrix, hits.astype(float), np.where(hits, matrix[:, 2] * 10, 0.0)


@pytest.mark.parametrize(
    ("family", "is_probability"),
    [*((one, True) for one in CLASSIFIERS), *((one, False) for one in REGRESSORS)],
    ids=lambda value: value.name if isinstance(value, Family) else str(value),
)
def test_contributions_add_up_to_the_score(family: Family, is_probability: bool) -> None:
    matrix, hits, amounts = _rows(1)
    outcome = hits if is_probability else amounts
    estimator = fresh(family.name, family.settings[0], is_probability, 600, 1)
    estimator.fit(matrix, outcome)
    unseen = _rows(2)[0]
    explainer = Explainer(estimator, _ENCODING, is_probability)
    score, added = explainer.explain(unseen)
    assert score == pytest.approx(predicted(estimator, unseen, is_probability), abs=1e-9)
    assert added.shape == (600, 5), "columns of one text are one feature"
    if family.name == "logistic_regression":
        margin = added.sum(axis=1) + estimator[2].intercept_[0]
        assert 1 / (1 + np.exp(-margin)) == pytest.approx(score)


def test_a_feature_that_the_model_never_looks_at_adds_nothing() -> None:
    matrix, hits, _ = _rows(1)
    matrix[:, 3] = 7
    for family in CLASSIFIERS:
        estimator = fresh(family.name, family.settings[0], True, 600, 1).fit(matrix, hits)
        added = Explainer(estimator, _ENCODING, True).explain(matrix)[1]
        assert added[:, 3] == pytest.approx(0, abs=1e-12), family.name


def test_the_strongest_reasons_come_first_and_nothing_is_no_reason() -> None:
    told = top_reasons(np.array([[0.1, -0.5, 0.2, 0.0], [0.0, 0.0, 0.0, 1.0]]))
    assert told.feature.shape == (2, REASONS)
    assert told.feature.tolist() == [[1, 2, 0], [3, -1, -1]]
    assert told.effect.tolist() == [[-0.5, 0.2, 0.1], [1.0, 0.0, 0.0]]
