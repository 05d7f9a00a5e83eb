"""Pictures of a model: how it ranks, whether its scores mean what they say, what it looks at."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from orchestration.predictions import metrics
from orchestration.predictions.training import Trained

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK, _SOFT, _LINE = "#1f4e79", "#b0b7bf", "#d7dce1"
_MOST_FEATURES = 12


def figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple["Figure", Any]:
    """An empty figure that needs no screen; size in inches; axes as rows x columns."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height), layout="constrained", dpi=110)
    return made, made.subplots(rows, columns, squeeze=False)


def draw_model(trained: Trained, importance: dict[str, float], folder: Path) -> list[Path]:
    """PNG files of a model at its test cutoff, and of what it looks at."""
    made = [_importance(importance, folder / "importance.png")]
    made.append(_calibration(trained, folder / "calibration.png"))
    if trained.is_probability:
        made.append(_ranking(trained, folder / "ranking.png"))
    return made


def _plain(axes: "Axes", title: str, across: str, up: str) -> None:
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(color=_LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _ranking(trained: Trained, path: Path) -> Path:
    from sklearn.metrics import precision_recall_curve, roc_curve

    made, axes = figure(9, 4, 1, 2)
    outcome, score = trained.test.outcome, trained.test_score
    share = float(outcome.mean())
    wrong, right, _ = roc_curve(outcome, score)
    axes[0, 0].plot(wrong, right, color=_INK)
    axes[0, 0].plot([0, 1], [0, 1], color=_SOFT, linestyle="--")
    area = trained.figures["roc_auc"]
    _plain(axes[0, 0], f"ROC, area {area:.3f}", "false positives", "true positives")
    precision, recall, _ = precision_recall_curve(outcome, score)
    axes[0, 1].plot(recall, precision, color=_INK)
    axes[0, 1].axhline(share, color=_SOFT, linestyle="--")
    axes[0, 1].set_ylim(0, 1.02)
    precise = trained.figures["pr_auc"]
    _plain(axes[0, 1], f"Precision and recall, area {precise:.3f}", "recall", "precision")
    made.savefig(path)
    return path


def _calibration(trained: Trained, path: Path) -> Path:
    made, axes = figure(4.8, 4)
    told = np.array(metrics.groups_by_score(trained.test.outcome, trained.test_score))
    top = max(float(told.max()), 1e-9)
    axes[0, 0].plot([0, top], [0, top], color=_SOFT, linestyle="--")
    axes[0, 0].plot(told[:, 0], told[:, 1], color=_INK, marker="o")
    _plain(axes[0, 0], "Ten groups by score", "mean score", "mean of what came")
    made.savefig(path)
    return path


def _importance(importance: dict[str, float], path: Path) -> Path:
    shown = list(importance.items())[:_MOST_FEATURES][::-1]
    made, axes = figure(7.5, 0.6 + 0.32 * max(len(shown), 3))
    axes[0, 0].barh([name for name, _ in shown], [value for _, value in shown], color=_INK)
    _plain(axes[0, 0], "What the model looks at", "mean size of the contribution", "")
    made.savefig(path)
    return path


def draw_drift(drift: dict[str, dict[str, float]], limit: float, path: Path) -> Path:
    """Largest PSI of each model's features and score, against the limit."""
    made, axes = figure(8, 0.9 + 0.55 * max(len(drift), 2))
    names = list(drift)[::-1]
    worst = [max(drift[name].values(), default=0.0) for name in names]
    scores = [drift[name].get("score", 0.0) for name in names]
    rows = np.arange(len(names))
    axes[0, 0].barh(rows + 0.2, worst, height=0.38, color=_INK, label="worst feature")
    axes[0, 0].barh(rows - 0.2, scores, height=0.38, color=_SOFT, label="score")
    axes[0, 0].axvline(limit, color="#a33", linestyle="--", label=f"limit {limit:g}")
    axes[0, 0].set_yticks(rows, names)
    axes[0, 0].legend(frameon=False, fontsize=8)
    _plain(axes[0, 0], "Drift since training", "population stability index", "")
    made.savefig(path)
    return path
