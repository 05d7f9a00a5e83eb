"""A definition to a version in the registry: trained, drawn, described, and current if accepted."""

import hashlib
import inspect
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from orchestration.predictions import families, training
from orchestration.predictions.card import card
from orchestration.predictions.definitions import Clusters, Prediction, Predictions
from orchestration.predictions.drift import spreads_of
from orchestration.predictions.features import FEATURES, Features
from orchestration.predictions.making_clusters import Making, Tell, make_clusters
from orchestration.predictions.pictures import draw_model
from orchestration.predictions.registry import Registry, Version
from orchestration.predictions.scored import Predictor
from orchestration.predictions.training import Trained, train
from orchestration.rendering.project import Project


def make_version(
    name: str, definitions: Predictions, features: Features, registry: Registry, tell: Tell = print
) -> Version:
    """Train one model and keep it. It becomes current if it was accepted.

    The newest accepted version is the one in use: it knows the newest data. `muster model
    rollback` takes that back.

    Raises:
        TooLittleDataError: history, rows or kinds of outcome do not suffice; nothing is kept.
        PredictionError: there is no such definition, or its SQL is refused.
    """
    entry = definitions.of(name)
    with registry.adding(name) as (number, folder):
        making = Making(name, definitions.training, features, folder, tell)
        shared = {
            "name": name,
            "version": number,
            "description": entry.description,
            "owner": entry.owner,
            "of": entry.of,
            "first_day": f"{features.first_day}",
            "as_of": f"{features.as_of}",
            "seed": definitions.training.seed,
            "code": code_hash(entry),
            "trained_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
        model: object
        if isinstance(entry, Clusters):
            model, told, pictures = make_clusters(making, entry, registry.current(name))
        else:
            model, told, pictures = _prediction(making, entry)
        registry.write(folder, model, {**shared, **told})
        _write_card(folder, {**shared, **told}, pictures)
    made = registry.version(name, number)
    if made.refused:
        tell(f"{name} v{number} is refused: {made.refused}")
        return made
    return registry.promote(name, number, "accepted by training")


def _write_card(folder: Path, entry: Mapping[str, Any], pictures: list[Path]) -> None:
    import sklearn

    said = {**entry, "scikit_learn": sklearn.__version__}
    (folder / "card.md").write_text(card(said, pictures), encoding="utf-8")


def _prediction(making: Making, entry: Prediction) -> tuple[Predictor, dict[str, Any], list[Path]]:
    trained = train(making.name, entry, making.training, making.features, making.tell)
    model = Predictor(trained.encoding, trained.estimator, trained.is_probability, {})
    score, added = model.explainer.explain(trained.now)
    model.spreads = spreads_of(trained.encoding, trained.now, score)
    order = np.argsort(-np.abs(added).mean(axis=0), kind="stable")
    importance = {
        trained.encoding.features[place]: round(float(np.abs(added[:, place]).mean()), 6)
        for place in order
    }
    told = {
        "kind": "probability" if trained.is_probability else "amount",
        "outcome": entry.outcome,
        "baseline": entry.baseline,
        "horizon_days": entry.horizon_days,
        "features": importance,
        **_judgement(trained),
    }
    return model, told, draw_model(trained, importance, making.folder)


def _judgement(trained: Trained) -> dict[str, Any]:
    cutoffs = trained.cutoffs
    return {
        "refused": trained.refused,
        "family": trained.winner.family,
        "setting": dict(trained.winner.setting),
        "chosen_by": f"at {cutoffs.validation}, which came after all it had learnt from"
        if cutoffs.validation
        else "among a third of the profiles, since history is too short to part by time",
        "rows": trained.rows,
        "fit_cutoffs": [f"{one}" for one in (cutoffs.test, *cutoffs.fit)],
        "test_cutoff": f"{cutoffs.test}",
        "test_rows": len(trained.test),
        **({"test_share": float(trained.test.outcome.mean())} if trained.is_probability else {}),
        "figures": dict(trained.figures),
        "families": [
            {"family": one.family, "setting": dict(one.setting), "validation": one.validation,
             "figures": dict(one.figures)}
            for one in trained.families
        ],
        "baselines": {name: dict(figures) for name, figures in trained.baselines.items()},
    }  # fmt: skip


def code_hash(entry: Prediction | Clusters) -> str:
    """What a model depends on besides data: its definition, the features' SQL, how it is made."""
    project = Project()
    digest = hashlib.sha256(entry.model_dump_json().encode())
    digest.update(project.models[FEATURES].text.encode())
    for module in (families, training):
        digest.update(inspect.getsource(module).encode())
    return digest.hexdigest()[:12]
