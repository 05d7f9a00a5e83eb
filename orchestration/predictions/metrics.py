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
