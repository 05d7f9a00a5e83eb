"""One way of grouping rows, by K-means or DBSCAN: a partition of space that gives any row a group.

Rows are standardised numbers here; what they mean is not known in this module.
"""

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from orchestration.predictions.encoding import Matrix

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

Labels = NDArray[np.intp]

_STARTS = 10  # of K-means; the best of them is kept
_DIGITS = 9  # of coordinates, so that the last bits of a sum's order are no difference


@dataclass(frozen=True)
class Grouping:
    """Points in space, each of a group: a row belongs to the group of its nearest point.

    Of K-means the points are the centres, of DBSCAN the core points. `points` is points x columns,
    `groups` the group of each from 0; `noise` is the share of rows that DBSCAN left aside before
    their nearest core point took them.
    """

    points: Matrix
    groups: Labels
    noise: float = 0.0

    def __len__(self) -> int:
        return int(self.groups.max()) + 1

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_tree"}

    @cached_property
    def _tree(self) -> "cKDTree":
        from scipy.spatial import cKDTree

        return cKDTree(self.points)

    def assign(self, rows: Matrix) -> Labels:
        """The group of each row; each row by itself, so rows may come in any parts."""
        _, nearest = self._tree.query(rows)
        found: Labels = self.groups[nearest].astype(np.intp)
        return found

    def reordered(self, order: Labels) -> "Grouping":
        """The same with other numbers: the group that stands first in `order` becomes 0."""
        return Grouping(self.points, np.argsort(order)[self.groups].astype(np.intp), self.noise)


def by_k_means(rows: Matrix, clusters: int, seed: int) -> Grouping:
    """K-means with k-means++ (Arthur and Vassilvitskii 2007), the best of several starts.

    Fewer distinct rows than clusters give fewer groups.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = KMeans(min(clusters, len(rows)), n_init=_STARTS, random_state=seed).fit(rows)
    centres = np.unique(fitted.cluster_centers_.round(_DIGITS), axis=0)
    return Grouping(centres, np.arange(len(centres), dtype=np.intp))


def by_dbscan(rows: Matrix, dense: float) -> Grouping | None:
    """DBSCAN (Ester and others 1996); None if it finds nothing but noise.

    A core point has as many neighbours as twice the columns (Sander and others 1998) within
    `reach`.

    Args:
        rows: to learn from.
        dense: share of the rows that are to be core points; of so many rows the reach is right.
    """
    from sklearn.cluster import DBSCAN

    neighbours = min(2 * rows.shape[1], len(rows) - 1)
    fitted = DBSCAN(eps=reach(rows, dense), min_samples=neighbours + 1).fit(rows)
    core = fitted.core_sample_indices_
    if not len(core):
        return None
    points, first = np.unique(rows[core].round(_DIGITS), axis=0, return_index=True)
    return Grouping(points, fitted.labels_[core][first], float((fitted.labels_ < 0).mean()))


def reach(rows: Matrix, dense: float) -> float:
    """How far a share of the rows has to go for as many neighbours as twice the columns.

    That is a point of the curve of sorted distances to that neighbour, from which the distance of
    DBSCAN is read (Sander and others 1998). Above 0, also where most rows are one point.
    """
    from scipy.spatial import cKDTree

    neighbours = min(2 * rows.shape[1], len(rows) - 1)
    distances, _ = cKDTree(rows).query(rows, k=neighbours + 1)
    return max(float(np.quantile(distances[:, -1], dense)), 10.0**-_DIGITS)
