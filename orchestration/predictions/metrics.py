"""How well predictions fit what came: one dictionary of figures for each kind.

Definitions: ROC-AUC and average precision as scikit-learn has them; lift is the share of hits among
the tenth with the highest scores over the share among all; the calibration error is the mean, over
ten groups of equal size by score, of |mean score - share of hits| (Naeini et al. 2015, with groups
of equal size); Brier (1950) is the mean squared error of a probability.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Figures = Mapping[str, float]

GROUPS = 10
WORDS = {
    "roc_auc": "ROC-AUC",
    "pr_auc": "PR-AUC",
    "top_decile_lift": "Lift of the top tenth",
    "calibration_error": "Calibration error",
    "brier": "Brier score",
    "rmse": "RMSE",
    "mae": "Mean absolute error",
    "rank_correlation": "Rank correlation",
    "total_ratio": "Forecast / truth, in total",
}
"""Names of figures for people."""

_RESAMPLES, _RESAMPLED_ROWS = 200, 5_000


def of_probability(outcome: Values, score: Values) -> dict[str, float]:
    """Figures of a probability; `outcome` is 0 or 1 and must hold both."""
    from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

    return {
        "roc_auc": float(roc_auc_score(outcome, score)),
        "pr_auc": float(average_precision_score(outcome, score)),
        "top_decile_lift": _lift(outcome, score),
        "calibration_error": calibration_error(outcome, score),
        "brier": float(brier_score_loss(outcome, np.clip(score, 0, 1))),
    }


def of_amount(outcome: Values, score: Values) -> dict[str, float]:
    """Figures of a forecast: errors in its unit, rank correlation, and forecast over truth."""
    from scipy.stats import spearmanr

    is_told = len(np.unique(score)) > 1 and len(np.unique(outcome)) > 1
    return {
        "rmse": float(np.sqrt(np.mean((outcome - score) ** 2))),
        "mae": float(np.mean(np.abs(outcome - score))),
        "rank_correlation": float(spearmanr(outcome, score).statistic) if is_told else 0.0,
        "total_ratio": float(score.sum() / outcome.sum()) if outcome.sum() else 0.0,
    }


def groups_by_score(outcome: Values, score: Values) -> list[tuple[float, float]]:
    """(mean score, mean outcome) of ten groups of equal size, in the order of scores."""
    order = np.argsort(score, kind="stable")
    return [
        (float(score[part].mean()), float(outcome[part].mean()))
        for part in np.array_split(order, GROUPS)
        if len(part)
    ]


def calibration_error(outcome: Values, score: Values) -> float:
    """Mean distance of the groups' mean score and mean outcome."""
    told = groups_by_score(outcome, score)
    return float(np.mean([abs(mean_score - share) for mean_score, share in told]))


def _lift(outcome: Values, score: Values) -> float:
    best = np.argsort(-score, kind="stable")[: max(1, len(score) // 10)]
    return float(outcome[best].mean() / outcome.mean())


def least_gain(
    outcome: Values, score: Values, other: Values, is_probability: bool, seed: int
) -> float:
    """How much better one score is than another at least, with 95% confidence.

    The 5th percentile of the difference over 200 bootstrap resamples (Efron 1979): of ROC-AUC for
    probabilities, of the mean squared error, other less one, for amounts.
    """
    chance = np.random.default_rng(seed)
    size = min(len(outcome), _RESAMPLED_ROWS)
    gains = []
    for _ in range(_RESAMPLES):
        rows = chance.integers(0, len(outcome), size)
        drawn = outcome[rows]
        if not is_probability:
            errors = (drawn - other[rows]) ** 2 - (drawn - score[rows]) ** 2
            gains.append(float(errors.mean()))
        elif 0 < drawn.sum() < size:
            gains.append(_rank_area(drawn, score[rows]) - _rank_area(drawn, other[rows]))
    # Of fewer rows the spread is larger by the root of their ratio.
    middle, low = float(np.mean(gains)), float(np.quantile(gains, 0.05))
    return middle - (middle - low) * float(np.sqrt(size / len(outcome)))


def _rank_area(outcome: Values, score: Values) -> float:
    """ROC-AUC as the Mann-Whitney statistic, several times as fast as scikit-learn's."""
    from scipy.stats import mannwhitneyu

    hits, others = score[outcome > 0], score[outcome == 0]
    found = mannwhitneyu(hits, others, method="asymptotic").statistic
    return float(found) / (len(hits) * len(others))
