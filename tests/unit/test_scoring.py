"""Scores of a build: the file that dbt reads, with and without models, and with broken ones."""

import json
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pytest

from orchestration.predictions.definitions import Predictions
from orchestration.predictions.features import Features
from orchestration.predictions.making import make_version
from orchestration.predictions.registry import Registry
from orchestration.predictions.scoring import drifted, last_outcomes, score_all, write_outcomes
from tests import prediction_world as world

_AS_OF = datetime(2026, 6, 1)  # noqa: DTZ001  # UTC without a zone, as all times of models
_DEFINITIONS = Predictions.model_validate(
    {
        "predictions": {
            "leaves": {
                "description": "Leaves.", "owner": "growth", "of": "days_since_last_activity < 60",
                "outcome": "active_day_count = 0", "baseline": "days_since_last_activity",
                "horizon_days": 14,
            }
        },
        "training": {"most_cutoffs": 3, "least_rows": 50, "least_of_each": 10},
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def features() -> Features:
    """A world whose features stand in a table, as after a build."""
    made = world.populated(900)
    made.connection.execute(
        f"create table intermediate.int_profile_features as {made.at(made.as_of)}"
    )
    return made


@pytest.fixture(scope="module")
def trained(features: Features, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """With one model in use."""
    registry = Registry(tmp_path_factory.mktemp("models"))
    made = make_version("leaves", _DEFINITIONS, features, registry, lambda _: None)
    assert not made.refused
    return registry


def _scores(registry: Registry) -> duckdb.DuckDBPyRelation:
    return duckdb.sql(f"from '{registry.folder}/scores/*.parquet'")


def test_a_score_is_what_the_model_says_with_its_reasons(
    features: Features, trained: Registry
) -> None:
    outcomes = score_all(features.connection, _DEFINITIONS, trained, _AS_OF)
    assert [(one.name, one.trouble) for one in outcomes] == [("leaves", "")]
    rows = _scores(trained).filter("profile_id is not null").order("profile_id").fetchall()
    assert len(rows) == outcomes[0].rows > 100
    version = trained.current("leaves")
    assert version is not None
    model = version.load()
    told = features.connection.execute(
        f"""select {model.encoding.sql} from intermediate.int_profile_features
        where days_since_last_activity < 60 order by profile_id"""
    ).fetchnumpy()
    matrix = np.column_stack([told[name] for name in told])
    expected = model.estimator.predict_proba(matrix)[:, 1]
    assert [row[3] for row in rows] == pytest.approx(list(expected), abs=1e-4)
    reasons = rows[0][5]
    assert 1 <= len(reasons) <= 3
    strength = [abs(one["effect"]) for one in reasons]
    assert strength == sorted(strength, reverse=True)
    first = reasons[0]
    place = next(
        n for n, one in enumerate(model.encoding.columns) if one.feature == first["feature"]
    )
    assert first["value"] == pytest.approx(matrix[0, place], abs=1e-4)


def test_the_same_data_and_seed_give_the_same_model(
    features: Features, trained: Registry, tmp_path: Path
) -> None:
    again = make_version("leaves", _DEFINITIONS, features, Registry(tmp_path), lambda _: None)
    first = trained.version("leaves", 1)
    moving = {"trained_at"}
    assert {k: v for k, v in again.entry.items() if k not in moving} == {
        k: v for k, v in first.entry.items() if k not in moving
    }
    assert (again.folder / "model.joblib").read_bytes() == (
        first.folder / "model.joblib"
    ).read_bytes()
    card = (again.folder / "card.md").read_text()
    assert card.startswith("# leaves v1\n\nLeaves.\n\nAccepted.")
    assert {path.name for path in again.folder.glob("*.png")} == {
        "importance.png", "calibration.png", "ranking.png",
    }  # fmt: skip


def test_without_models_a_scoring_takes_place_all_the_same(
    features: Features, tmp_path: Path
) -> None:
    registry = Registry(tmp_path)
    assert score_all(features.connection, _DEFINITIONS, registry, _AS_OF) == []
    assert _scores(registry).fetchall() == [("", 0, None, None, None, None, _AS_OF)]


def test_a_model_that_cannot_be_used_costs_its_own_scores_only(
    features: Features, trained: Registry, tmp_path: Path
) -> None:
    other = features.connection.execute("from intermediate.int_profile_features").to_arrow_table()
    beside = duckdb.connect()
    beside.register("all_features", other.drop_columns(["session_count_90d"]))
    beside.execute("create schema intermediate")
    beside.execute("create table intermediate.int_profile_features as from all_features")
    (outcome,) = score_all(beside, _DEFINITIONS, trained, _AS_OF)
    assert "was trained on other features" in outcome.trouble
    assert "session_count_90d" in outcome.trouble
    assert outcome.trouble.endswith("train it again: muster model train leaves")
    assert _scores(trained).filter("profile_id is not null").fetchall() == []
    score_all(features.connection, _DEFINITIONS, trained, _AS_OF)


def test_drift_is_noticed_of_the_model_in_use(features: Features, trained: Registry) -> None:
    outcomes = score_all(features.connection, _DEFINITIONS, trained, _AS_OF)
    assert max(outcomes[0].drift.values()) < 1e-9, "nothing has changed since training"
    outcomes[0].drift["session_count_90d"] = 0.9
    write_outcomes(trained, _AS_OF, outcomes)
    assert last_outcomes(trained)[0] == "2026-06-01T00:00:00Z"
    assert drifted(trained, 0.8) == {"leaves": 1}
    assert drifted(trained, 0.95) == {}
    trained.rollback("leaves")
    assert drifted(trained, 0.8) == {}, "it is not in use any more"
    trained.promote("leaves", 1, "promoted by hand")


def test_a_day_has_one_file_and_old_days_go(
    features: Features, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.predictions.scoring.KEPT_DAYS", 2)
    registry = Registry(tmp_path)
    for day, hour in ((1, 6), (1, 18), (2, 6), (3, 6)):
        moment = datetime(2026, 6, day, hour)  # noqa: DTZ001
        score_all(features.connection, _DEFINITIONS, registry, moment)
    files = sorted(path.name for path in (tmp_path / "scores").iterdir())
    assert files == ["2026-06-02.parquet", "2026-06-03.parquet"]


def test_the_entry_of_a_version_tells_what_it_was_made_of(trained: Registry) -> None:
    entry = json.loads((trained.version("leaves", 1).folder / "model.json").read_text())
    assert entry["as_of"] == "2026-06-01"
    assert entry["first_day"] >= "2026-01-01"
    assert entry["fit_cutoffs"][0] == entry["test_cutoff"] == "2026-05-18"
    assert entry["baselines"]["baseline"]["roc_auc"] < entry["figures"]["roc_auc"]
    assert list(entry["features"].values()) == sorted(entry["features"].values(), reverse=True)
