"""One prediction from features to a judged model: search, refit, judge, refuse or accept.

Settings are chosen at the validation cutoff; the winner is the family that is best there. All are
then judged at the test cutoff, which nothing was chosen by. What is kept is the winner trained once
more with the test cutoff's rows, since they are the newest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from orchestration.predictions import metrics
from orchestration.predictions.cutoffs import Cutoffs, TooLittleDataError, plan
from orchestration.predictions.definitions import Prediction, Training
from orchestration.predictions.encoding import Encoding, Matrix
from orchestration.predictions.families import (
    CLASSIFIERS,
    REGRESSORS,
    Family,
    Setting,
    fresh,
    predicted,
    signed_log,
)
from orchestration.predictions.features import Features, Frame, joined
from orchestration.predictions.metrics import Values

BASELINE = "baseline"
MEAN = "mean_of_everybody"
_TIE = 0.001  # of the metric that decides; the simpler family is kept

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Judged:
    """A family's best setting, its figure at the validation cutoff, and all at the test cutoff."""

    family: str
    setting: Setting
    validation: float
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Trained:
    """A model and all that was found out about it.

    `refused` says why it must not be used; empty if it may. `test_score` is what the judged model
    said of `test`; `now` are the rows that a scoring would see, against which drift is told.
    """

    is_probability: bool
    encoding: Encoding
    estimator: Any
    cutoffs: Cutoffs
    rows: int
    winner: Judged
    families: tuple[Judged, ...]
    baselines: Mapping[str, Mapping[str, float]]
    refused: str
    test: Frame
    test_score: Values
    now: Matrix

    @property
    def deciding(self) -> str:
        """The figure that decides."""
        return deciding(self.is_probability)

    @property
    def figures(self) -> Mapping[str, float]:
        """The winner's at the test cutoff."""
        return self.winner.figures


def deciding(is_probability: bool) -> str:
    """The figure by which models of a kind are compared."""
    return "roc_auc" if is_probability else "rmse"


def train(
    name: str, entry: Prediction, training: Training, features: Features, tell: Tell = print
) -> Trained:
    """Train and judge a model.

    Raises:
        TooLittleDataError: history, rows, or kinds of outcome do not suffice.
        PredictionError: the entry's SQL is refused.
    """
    is_probability = features.check(name, entry)
    cutoffs = plan(features.first_day, features.as_of, entry.horizon_days, training)
    encoding = features.encoding(entry.of, cutoffs.fit[0])
    frames = _read(features, entry, encoding, cutoffs, training)
    learned, test = joined([frames[one] for one in cutoffs.fit]), frames[cutoffs.test]
    _require(learned, test, encoding, is_probability, training)
    search, validation = _parted(frames, cutoffs)
    tell(f"{name}: {len(learned):,} rows of {len(cutoffs.fit)} cutoffs, judged at {cutoffs.test}")
    judged, scores = [], {}
    for family in CLASSIFIERS if is_probability else REGRESSORS:
        setting, figure = _searched(family, search, validation, is_probability, training.seed)
        estimator = _fitted(family.name, setting, learned, is_probability, training.seed)
        scores[family.name] = predicted(estimator, test.matrix, is_probability)
        figures = _figures(test.outcome, scores[family.name], is_probability)
        judged.append(Judged(family.name, setting, figure, figures))
    winner = _best(judged, is_probability)
    baselines = _baseline_scores(learned, test, is_probability)
    everything = joined([learned, test])
    return Trained(
        is_probability,
        encoding,
        _fitted(winner.family, winner.setting, everything, is_probability, training.seed),
        cutoffs,
        len(everything),
        winner,
        tuple(judged),
        {name: _figures(test.outcome, one, is_probability) for name, one in baselines.items()},
        _refused(test.outcome, scores[winner.family], baselines, training, is_probability),
        test,
        scores[winner.family],
        features.now(entry.of, encoding, training.sample_rows, training.seed),
    )


def _read(
    features: Features,
    entry: Prediction,
    encoding: Encoding,
    cutoffs: Cutoffs,
    training: Training,
) -> dict[date, Frame]:
    moments = (cutoffs.test, *cutoffs.fit)
    most = training.sample_rows // len(moments)
    return {one: features.read(entry, encoding, one, most, training.seed) for one in moments}


def _require(
    learned: Frame, test: Frame, encoding: Encoding, is_probability: bool, training: Training
) -> None:
    for what, frame in (("to learn from", learned), ("to judge by", test)):
        if len(frame) < training.least_rows:
            raise TooLittleDataError(f"{len(frame)} rows {what}; it takes {training.least_rows}")
        if is_probability:
            hits = int(frame.outcome.sum())
            for count, word in ((hits, "is true"), (len(frame) - hits, "is false")):
                if count < training.least_of_each:
                    raise TooLittleDataError(
                        f"the outcome {word} in {count} of {len(frame)} rows {what}; "
                        f"it takes {training.least_of_each}"
                    )
        elif len(np.unique(frame.outcome)) < 2:
            raise TooLittleDataError(f"the outcome is the same in all rows {what}")
    if not encoding.columns:
        raise TooLittleDataError("all features are constant")


def _parted(frames: Mapping[date, Frame], cutoffs: Cutoffs) -> tuple[Frame, Frame]:
    """Rows to search with, and rows to compare at: by time, else by profile."""
    if cutoffs.validation:
        return joined([frames[one] for one in cutoffs.search]), frames[cutoffs.validation]
    together = joined([frames[one] for one in cutoffs.fit])
    # Its ids are hashes, so this is a fair third, the same each time.
    third = np.array([sum(one.encode()) % 3 == 0 for one in together.profile_ids])
    return together.where(~third), together.where(third)


def _searched(
    family: Family, search: Frame, validation: Frame, is_probability: bool, seed: int
) -> tuple[Setting, float]:
    """The setting that does best at the validation cutoff; of equals the first."""
    found = []
    for setting in family.settings:
        estimator = _fitted(family.name, setting, search, is_probability, seed)
        score = predicted(estimator, validation.matrix, is_probability)
        figures = _figures(validation.outcome, score, is_probability)
        found.append((setting, figures[deciding(is_probability)]))
    return (max if is_probability else min)(found, key=lambda one: one[1])


def _fitted(family: str, setting: Setting, frame: Frame, is_probability: bool, seed: int) -> Any:
    from threadpoolctl import threadpool_limits

    estimator = fresh(family, setting, is_probability, len(frame), seed)
    # Boosting's threads wait actively for each other: on a busy machine one is far faster than two.
    with threadpool_limits(1):
        estimator.fit(frame.matrix, frame.outcome)
    if hasattr(estimator, "n_jobs"):
        estimator.n_jobs = 1  # threads add up a forest's trees as they end: other last digits
    return estimator


def _figures(outcome: Values, score: Values, is_probability: bool) -> dict[str, float]:
    of = metrics.of_probability if is_probability else metrics.of_amount
    return of(outcome, score)


def _best(judged: list[Judged], is_probability: bool) -> Judged:
    """By the validation cutoff; families that are as good within a tie go by simplicity."""
    sign = 1 if is_probability else -1
    best = max(sign * one.validation for one in judged)
    tie = _TIE if is_probability else _TIE * abs(best)
    return next(one for one in judged if sign * one.validation >= best - tie)


def _baseline_scores(learned: Frame, test: Frame, is_probability: bool) -> dict[str, Values]:
    """What a model must beat: the baseline feature alone; for amounts also everybody's mean."""
    if not is_probability:
        return {BASELINE: test.baseline, MEAN: np.full(len(test), learned.outcome.mean())}
    from sklearn.linear_model import LogisticRegression

    alone = LogisticRegression().fit(signed_log(learned.baseline[:, None]), learned.outcome)
    return {BASELINE: alone.predict_proba(signed_log(test.baseline[:, None]))[:, 1]}


def _refused(
    outcome: Values,
    score: Values,
    baselines: Mapping[str, Values],
    training: Training,
    is_probability: bool,
) -> str:
    """Why a model is no better than what needs no model; empty if it is."""
    figure = deciding(is_probability)
    reached = _figures(outcome, score, is_probability)[figure]
    for name, other in baselines.items():
        theirs = _figures(outcome, other, is_probability)[figure]
        against = (
            f"{metrics.WORDS[figure]} {reached:.3f} against {theirs:.3f} of "
            f"{name.replace('_', ' ')}"
        )
        if is_probability and reached < theirs + training.minimum_gain:
            return f"{against}; it takes {training.minimum_gain:g} more"
        if not is_probability and reached > theirs * (1 - training.minimum_gain):
            return f"{against}; it takes {training.minimum_gain:.0%} less"
        if metrics.least_gain(outcome, score, other, is_probability, training.seed) <= 0:
            return f"{against}, which may be chance: {len(outcome)} rows are too few to tell"
    return ""
