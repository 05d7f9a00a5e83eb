"""Pictures of clusters: all of them by what sets them apart, and each by itself."""

from pathlib import Path

import numpy as np

from orchestration.predictions.cluster_profiles import number
from orchestration.predictions.clustering import TrainedClusters
from orchestration.predictions.pictures import figure

_ABOVE, _BELOW, _LINE = "#1f4e79", "#a8572b", "#d7dce1"
_FULL_COLOUR = 2.5  # standard deviations; whatever is further has the same colour
_WHITE_FROM = 1.6


def draw_clusters(trained: TrainedClusters, folder: Path) -> list[Path]:
    """PNG files: `clusters.png`, and `cluster_<number>.png` of each."""
    made = [_overview(trained, folder / "clusters.png")]
    for place, own in enumerate(trained.clustering.numbers):
        made.append(_one(trained, place, folder / f"cluster_{own}.png"))
    return made


def _overview(trained: TrainedClusters, path: Path) -> Path:
    """A heat map of means: clusters x features."""
    means, names = trained.profiles.means, trained.clustering.names
    columns = [one.label for one in trained.clustering.encoding.columns]
    drawn, ((axes,),) = figure(4.6 + 0.85 * len(columns), 2.6 + 0.42 * len(names))
    shown = axes.imshow(means, cmap="RdBu", vmin=-_FULL_COLOUR, vmax=_FULL_COLOUR, aspect="auto")
    for (row, column), mean in np.ndenumerate(means):
        ink = "white" if abs(mean) > _WHITE_FROM else "black"
        axes.text(column, row, f"{mean:+.1f}", ha="center", va="center", color=ink, fontsize=8)
    axes.set_xticks(range(len(columns)), columns, rotation=35, ha="right", fontsize=9)
    told = [f"{name}  {size:.1%}" for name, size in zip(names, trained.sizes, strict=True)]
    axes.set_yticks(range(len(names)), told, fontsize=9)
    axes.set_title("Means of clusters, from everybody's", loc="left", fontsize=11)
    bar = drawn.colorbar(shown, ax=axes, fraction=0.03, pad=0.01)
    bar.set_label("standard deviations, of logarithms", fontsize=8)
    drawn.savefig(path)
    return path


def _one(trained: TrainedClusters, place: int, path: Path) -> Path:
    """Bars of one cluster's means, the most extreme on top, with the values that they stand for."""
    profiles, clustering = trained.profiles, trained.clustering
    means = profiles.means[place]
    order = np.argsort(np.abs(means), kind="stable")
    columns = [clustering.encoding.columns[column].label for column in order]
    drawn, ((axes,),) = figure(9, 1.3 + 0.38 * len(order))
    colours = [_ABOVE if means[column] >= 0 else _BELOW for column in order]
    axes.barh(columns, means[order], color=colours, height=0.62)
    axes.axvline(0, color="black", linewidth=0.8)
    far = max(1.0, float(np.abs(means).max()))
    for row, column in enumerate(order):
        words = f"{number(profiles.values[place, column])} / {number(profiles.everybody[column])}"
        axes.text(far * 1.12, row, words, va="center", fontsize=8)
    axes.set_xlim(-far * 1.1, far * 1.1)
    title = f"{clustering.names[place]}: {trained.sizes[place]:.1%} of {trained.rows:,} profiles"
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_title("mean / everybody's", loc="right", fontsize=8)
    axes.set_xlabel("standard deviations from everybody's mean, of logarithms", fontsize=9)
    axes.grid(axis="x", color=_LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    drawn.savefig(path)
    return path
