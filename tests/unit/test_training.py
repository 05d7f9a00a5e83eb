"""Training on a small world: what is planted is found, noise is refused, too little is said so."""

from datetime import date
from itertools import pairwise

import duckdb
import numpy as np
import pytest

from orchestration.predictions import metrics
from orchestration.predictions.cutoffs import TooLittleDataError
from orchestration.predictions.definitions import (
    Prediction,
    PredictionError,
    Training,
    load_predictions,
)
from orchestration.predictions.drift import counts, spread_of, stability
from orchestration.predictions.encoding import learn_encoding
from orchestration.predictions.training import train
from tests import prediction_world as world

_TRAINING = Training(most_cutoffs=3, least_rows=50, least_of_each=10)


def _entry(**said: object) -> Prediction:
    usual = {
        "description": "Leaves.", "owner": "growth", "of": "days_since_last_activity < 60",
        "outcome": "active_day_count = 0", "baseline": "days_since_last_activity",
        "horizon_days": 14,
    }  # fmt: skip
    return Prediction.model_validate({**usual, **said})


def _quiet(_: str) -> None:
    """Says nothing."""


def test_what_is_planted_is_found_and_is_the_same_each_time() -> None:
    made = [train("churn", _entry(), _TRAINING, world.populated(900), _quiet) for _ in range(2)]
    first, second = made
    assert not first.refused
    assert first.figures["roc_auc"] > first.baselines["baseline"]["roc_auc"] + 0.02
    assert first.figures == second.figures
    assert first.winner.family == second.winner.family
    assert np.array_equal(first.test_score, second.test_score)
    assert [one.family for one in first.families] == [
        "logistic_regression", "decision_tree", "random_forest", "gradient_boosting",
    ]  # fmt: skip


def test_an_amount_is_forecast() -> None:
    entry = _entry(outcome="order_value", baseline="order_value_28d", horizon_days=28)
    made = train("value", entry, _TRAINING, world.populated(500), _quiet)
    assert not made.is_probability
    assert set(made.baselines) == {"baseline", "mean_of_everybody"}
    assert np.all(made.test_score >= 0)


def test_noise_is_refused() -> None:
    noise = world.populated(400, is_noise=True)
    made = train("churn", _entry(), _TRAINING, noise, _quiet)
    assert "of baseline" in made.refused


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"outcome": "active_day_count < 0"}, "the outcome is true in 0 of"),
        ({"outcome": "active_day_count >= 0"}, "the outcome is false in 0 of"),
        ({"of": "days_since_last_activity < 0"}, "0 rows to learn from; it takes 50"),
        ({"horizon_days": 90}, "it takes 208 days of history"),
        ({"outcome": "0 * order_value"}, "the outcome is the same in all rows"),
    ],
)
def test_too_little_is_said_so(said: dict[str, object], words: str) -> None:
    with pytest.raises(TooLittleDataError, match=words):
        train("churn", _entry(**said), _TRAINING, world.populated(150), _quiet)


@pytest.mark.parametrize("part", ["of", "outcome", "baseline"])
def test_sql_that_is_refused_names_its_entry_and_line(part: str) -> None:
    name = "churn_probability_7d"
    entry = load_predictions().predictions[name].model_copy(update={part: "no_such_feature > 1"})
    with pytest.raises(PredictionError, match=rf"predictions.yml:\d+: {name}: {part}: .*no_such"):
        train(name, entry, _TRAINING, world.populated(60), _quiet)


def test_text_becomes_its_frequent_values_and_constants_no_columns() -> None:
    connection = duckdb.connect()
    connection.execute(
        """create table rows as
        select 'p' || range as profile_id, 5 as constant, range as number,
            case when range < 60 then 'a' when range < 99 then 'b''s' else 'rare' end as text
        from range(100)"""
    )
    encoding = learn_encoding(connection, "select * from rows")
    assert [one.label for one in encoding.columns] == ["number", "text is a", "text is b's"]
    assert encoding.features == ("number", "text")
    told = connection.execute(
        f"select {encoding.sql} from (select 3 as number, 'never seen' as text)"
    ).fetchone()
    assert told == (3.0, 0.0, 0.0)


def test_figures_are_those_of_their_definitions() -> None:
    outcome = np.array([0.0] * 10 + [1.0] * 10)
    score = np.linspace(0, 0.95, 20)
    told = metrics.of_probability(outcome, score)
    assert told["roc_auc"] == 1
    assert told["top_decile_lift"] == 2
    pairs = [
        abs(score[2 * n : 2 * n + 2].mean() - outcome[2 * n : 2 * n + 2].mean()) for n in range(10)
    ]
    assert told["calibration_error"] == pytest.approx(np.mean(pairs))
    assert metrics.of_amount(outcome, score)["total_ratio"] == pytest.approx(score.sum() / 10)


def test_a_gain_is_sure_or_it_is_none() -> None:
    rng = np.random.default_rng(5)
    outcome = (rng.random(3000) < 0.3).astype(float)
    good, better = outcome + rng.normal(0, 2, 3000), outcome + rng.normal(0, 1, 3000)
    assert metrics.least_gain(outcome, better, good, True, 1) > 0.05
    assert metrics.least_gain(outcome, good, better, True, 1) < -0.05
    assert metrics.least_gain(outcome, good, good, True, 1) == 0
    few = slice(0, 40)
    alike = good + rng.normal(0, 0.3, 3000)
    assert metrics.least_gain(outcome[few], alike[few], good[few], True, 1) < 0
    assert metrics.least_gain(outcome, better, good, False, 1) > 0


def test_drift_is_the_population_stability_index() -> None:
    rng = np.random.default_rng(3)
    then, now = rng.normal(0, 1, 5000), rng.normal(1, 1, 5000)
    spread = spread_of(then)
    assert stability({"x": spread}, {"x": counts(spread, then)})["x"] == pytest.approx(0, abs=1e-9)
    edges = [-np.inf, *spread.edges, np.inf]
    slow = 0.0
    for low, high in pairwise(edges):
        before = max(np.mean((then > low) & (then <= high)), 1e-4)
        after = max(np.mean((now > low) & (now <= high)), 1e-4)
        slow += (after - before) * np.log(after / before)
    found = stability({"x": spread}, {"x": counts(spread, now)})["x"]
    assert found == pytest.approx(slow)
    assert found > 0.2


def test_a_value_that_is_mostly_one_has_few_bins() -> None:
    spread = spread_of(np.array([0.0] * 95 + [5.0] * 5))
    assert counts(spread, np.array([0.0, 0.0, 1.0])) == [2, 1]


def test_features_know_the_newest_build() -> None:
    features = world.populated(30)
    assert features.as_of == world.AS_OF
    assert features.first_day >= date(2026, 1, 1)
    with pytest.raises(PredictionError, match="nothing is known of anybody yet"):
        world.Features(world.empty(), world.PROJECT)
