"""Which grouping of some rows to use: candidates, how well parted and how stable each is, a choice.

A candidate must be found again when a fifth of the rows is missing, and have no tiny group. Of
those the best parted one is chosen, by the silhouette.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from orchestration.predictions.cluster_grouping import (
    Grouping,
    Labels,
    by_dbscan,
    by_k_means,
    reach,
)
from orchestration.predictions.encoding import Matrix

K_MEANS, DBSCAN = "K-means", "DBSCAN"

LEAST_STABILITY = 0.7
LEAST_SHARE = 0.01
MOST_NOISE = 0.3
_TIE, _USUAL_TIE = 0.01, 0.03  # of the silhouette
_DENSE = (0.8, 0.9, 0.95, 0.99)  # shares of core points that DBSCAN is tried with
_RESAMPLES, _RESAMPLED = 5, 0.8
_JUDGED_ROWS = 4_000  # the silhouette and DBSCAN compare all rows with each other


@dataclass(frozen=True)
class _Way:
    """An algorithm, the rows that it learns from, and how it groups such rows."""

    algorithm: str
    learned: Matrix
    fit: Callable[[Matrix], Grouping | None]


@dataclass(frozen=True)
class Candidate:
    """A grouping and its figures.

    `silhouette` (Rousseeuw 1987) is from -1 to 1, `stability` the mean adjusted Rand index (Hubert
    and Arabie 1985; 1 is the same groups, 0 is chance) between it and groupings of resamples.
    `noise` is a share of rows; `why_not` is empty for the chosen one. Figures of a candidate
    without two groups are 0.
    """

    algorithm: str
    clusters: int
    silhouette: float
    stability: float
    noise: float
    why_not: str = ""


@dataclass(frozen=True)
class Search:
    """What was tried, and the chosen grouping; `refused` says why not even that one will do."""

    candidates: tuple[Candidate, ...]
    algorithm: str
    grouping: Grouping
    refused: str


def search(rows: Matrix, sought: range, seed: int, usual: int = 0) -> Search:
    """Try K-means with each number of clusters sought, and DBSCAN.

    Args:
        rows: rows x columns, standardised; at least two are distinct.
        sought: numbers of clusters that may be chosen.
        seed: of starts and resamples.
        usual: the number of clusters of the last time, which is kept if it is about as good.
    """
    import sklearn.cluster  # noqa: F401  # a limit holds for libraries that are loaded
    from threadpoolctl import threadpool_limits

    tried: list[Candidate] = []
    groupings: list[Grouping] = []
    # Sums over several threads differ in their last bits from run to run, and so small ones take
    # longer than with one.
    with threadpool_limits(1):
        for way in _ways(rows, sought, seed):
            candidate, grouping = _tried(way, rows, sought, seed)
            tried.append(candidate)
            groupings.append(grouping)
    usable = [place for place, one in enumerate(tried) if not one.why_not]
    if not usable:
        place = max(range(len(tried)), key=lambda one: (tried[one].stability, -one))
        nearest = tried[place]
        said = f"{nearest.algorithm} with {nearest.clusters} clusters: {nearest.why_not}"
        return Search(
            tuple(tried), nearest.algorithm, groupings[place], f"no grouping will do; {said}"
        )
    chosen = _chosen(tried, usable, usual)
    best = max(tried[place].silhouette for place in usable)
    told = tuple(
        one
        if place == chosen or one.why_not
        else replace(one, why_not=_behind(one, tried[chosen], best))
        for place, one in enumerate(tried)
    )
    return Search(told, tried[chosen].algorithm, groupings[chosen], "")


def _ways(rows: Matrix, sought: range, seed: int) -> Iterator[_Way]:
    for clusters in sought:
        yield _Way(K_MEANS, rows, partial(by_k_means, clusters=clusters, seed=seed))
    some = rows[_some(len(rows), _JUDGED_ROWS, seed)]
    for dense in _DENSE:
        told = f"{DBSCAN} at distance {reach(some, dense):.2g}"
        yield _Way(told, some, partial(by_dbscan, dense=dense))


def _some(count: int, most: int, seed: int) -> Labels:
    chosen = np.random.default_rng(seed).permutation(count)[:most]
    return np.sort(chosen)


def _tried(way: _Way, rows: Matrix, sought: range, seed: int) -> tuple[Candidate, Grouping]:
    grouping = way.fit(way.learned) or Grouping(rows[:1], np.zeros(1, dtype=np.intp), 1.0)
    labels = grouping.assign(rows)
    candidate = Candidate(way.algorithm, len(grouping), 0.0, 0.0, round(grouping.noise, 6))
    if len(grouping) > 1:
        candidate = replace(
            candidate,
            silhouette=_silhouette(rows, labels, seed),
            stability=_stability(way, rows, labels, seed),
        )
    return replace(candidate, why_not=_unfit(candidate, labels, sought)), grouping


def _silhouette(rows: Matrix, labels: Labels, seed: int) -> float:
    from sklearn.metrics import silhouette_score

    some = _some(len(rows), _JUDGED_ROWS, seed)
    if not 1 < len(np.unique(labels[some])) < len(some):
        return 0.0
    return round(float(silhouette_score(rows[some], labels[some])), 6)


def _stability(way: _Way, rows: Matrix, labels: Labels, seed: int) -> float:
    from sklearn.metrics import adjusted_rand_score

    agreement = []
    for number in range(_RESAMPLES):
        some = _some(len(way.learned), int(len(way.learned) * _RESAMPLED), seed + 1 + number)
        again = way.fit(way.learned[some])
        agreement.append(adjusted_rand_score(labels, again.assign(rows)) if again else 0.0)
    return round(float(np.mean(agreement)), 6)


def _unfit(candidate: Candidate, labels: Labels, sought: range) -> str:
    """Why a candidate cannot be chosen, whatever the others are; empty if it can."""
    smallest = float(np.bincount(labels, minlength=candidate.clusters).min()) / len(labels)
    if candidate.noise > MOST_NOISE:
        return f"{candidate.noise:.0%} of the rows are noise; {MOST_NOISE:.0%} may be"
    if candidate.clusters < 2:
        return "all is one cluster"
    if candidate.clusters not in sought:
        return f"{candidate.clusters} clusters; {sought[0]} to {sought[-1]} are sought"
    if smallest < LEAST_SHARE:
        return f"its smallest cluster has {smallest:.1%} of the rows; it takes {LEAST_SHARE:.0%}"
    if candidate.stability < LEAST_STABILITY:
        return f"not found again in resamples: {candidate.stability:.2f} of {LEAST_STABILITY}"
    return ""


def _chosen(tried: Sequence[Candidate], usable: Sequence[int], usual: int) -> int:
    """The best silhouette; within a tie the fewest clusters, within a wider one the usual."""
    best = max(tried[place].silhouette for place in usable)
    as_usual = [
        place
        for place in usable
        if tried[place].clusters == usual and tried[place].silhouette >= best - _USUAL_TIE
    ]
    as_good = [place for place in usable if tried[place].silhouette >= best - _TIE]
    return min(as_usual or as_good, key=lambda place: tried[place].clusters)


def _behind(candidate: Candidate, chosen: Candidate, best: float) -> str:
    if candidate.silhouette < best - _TIE:
        return f"silhouette {candidate.silhouette:.3f} against {best:.3f} of the best"
    if chosen.clusters <= candidate.clusters:
        return f"no better parted than {chosen.clusters} clusters of {chosen.algorithm}"
    return f"as well parted, but not the {chosen.clusters} clusters of the last time"
