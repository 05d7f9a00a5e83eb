"""Profiles that behave alike, as clusters: found in a sample, matched to the last ones, named.

`Clustering` is what is kept and gives any row its cluster; `TrainedClusters` also what was found
out about it. Features count by their signed logarithm, less everybody's mean, by everybody's
standard deviation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np

from orchestration.predictions.cluster_grouping import Grouping, Labels
from orchestration.predictions.cluster_matching import matched, numbered
from orchestration.predictions.cluster_names import Rules, named
from orchestration.predictions.cluster_profiles import Profiles, described
from orchestration.predictions.cluster_search import Candidate, search
from orchestration.predictions.cutoffs import TooLittleDataError
from orchestration.predictions.definitions import Clusters, Training
from orchestration.predictions.encoding import Encoding, Matrix
from orchestration.predictions.families import signed_log
from orchestration.predictions.features import Features, matrix_of

_MOST_ROWS = 50_000

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Scaler:
    """Everybody's mean and standard deviation of each column's signed logarithm."""

    mean: Matrix
    deviation: Matrix

    @classmethod
    def of(cls, matrix: Matrix) -> "Scaler":
        """That of some rows; a column without deviation has 1."""
        logs = signed_log(matrix)
        deviation = logs.std(axis=0)
        return cls(logs.mean(axis=0), np.where(deviation > 0, deviation, 1.0))

    def standardised(self, matrix: Matrix) -> Matrix:
        """Rows in standard deviations from everybody's mean."""
        scaled: Matrix = (signed_log(matrix) - self.mean) / self.deviation
        return scaled


@dataclass(frozen=True)
class Clustering:
    """Clusters of an encoding's rows; their position is that of their number, the least first.

    A number is never given to another cluster: `next_number` is the first that none had. `means`
    are clusters x columns, standardised.
    """

    encoding: Encoding
    scaler: Scaler
    grouping: Grouping
    means: Matrix
    names: tuple[str, ...]
    numbers: tuple[int, ...]
    next_number: int

    def assign(self, matrix: Matrix) -> Labels:
        """The position of each row's cluster; rows may come in any parts."""
        return self.grouping.assign(self.scaler.standardised(matrix))

    def contributions(self, matrix: Matrix) -> Matrix:
        """What each feature says for a row's cluster: rows x features, below 0 if against it.

        It is by how much nearer, in squared standard deviations, the row is to the mean of its
        cluster than to everybody's: z² - (z - mean)², which adds up over the features.
        """
        rows = self.scaler.standardised(matrix)
        centre = self.means[self.grouping.assign(rows)]
        nearer = centre * (2 * rows - centre)
        added = np.zeros((len(rows), len(self.encoding.features)))
        for column, feature in enumerate(self.encoding.feature_of):
            added[:, feature] += nearer[:, column]
        return added


@dataclass(frozen=True)
class TrainedClusters:
    """A clustering and what was found out about it.

    `sizes` are shares of the sample, `descriptions` a sentence each, both by position; `matrix` is
    the sample. `refused` says why it must not be used; empty if it may.
    """

    clustering: Clustering
    algorithm: str
    candidates: tuple[Candidate, ...]
    sizes: tuple[float, ...]
    profiles: Profiles
    descriptions: tuple[str, ...]
    rows: int
    cutoff: date
    refused: str
    matrix: Matrix


def train_clusters(  # noqa: PLR0913, PLR0917
    name: str,
    entry: Clusters,
    training: Training,
    features: Features,
    previous: Clustering | None,
    tell: Tell = print,
) -> TrainedClusters:
    """Find clusters among the profiles of the newest midnight.

    Args:
        name: of the clustering.
        entry: its definition.
        training: seed, and how many rows.
        features: of the warehouse.
        previous: the last one, whose numbers and names are kept where clusters go on.
        tell: is told what goes on.

    Raises:
        TooLittleDataError: rows do not suffice, or nothing tells them apart.
        PredictionError: the entry's SQL is refused.
    """
    features.check(name, entry)
    rules = Rules(features.connection, name, entry)
    encoding, matrix = _sampled(entry, training, features)
    columns = [one.label for one in encoding.columns]
    rules.check([*dict.fromkeys([*entry.features, *columns])])
    scaler = Scaler.of(matrix)
    rows = scaler.standardised(matrix)
    tell(f"{name}: {len(rows):,} rows at {features.as_of}")
    usual = len(previous.names) if previous else 0
    sought = range(entry.least_clusters, entry.most_clusters + 1)
    found = search(rows, sought, training.seed, usual)
    before = _before(features, previous, tell)
    grouping, kept, numbers, next_number = _continued(found.grouping, rows, before, previous)
    labels = grouping.assign(rows)
    profiles = Profiles.of(rows, matrix, labels)
    names = named(rules, columns, profiles.means, kept)
    return TrainedClusters(
        Clustering(encoding, scaler, grouping, profiles.means, names, numbers, next_number),
        found.algorithm,
        found.candidates,
        tuple((np.bincount(labels, minlength=len(grouping)) / len(rows)).tolist()),
        profiles,
        described(columns, profiles),
        len(rows),
        features.as_of,
        found.refused,
        matrix,
    )


def _sampled(entry: Clusters, training: Training, features: Features) -> tuple[Encoding, Matrix]:
    """The columns and rows to learn from, sorted by profile; all features stay in `sampled`."""
    encoding = features.encoding(entry.of, features.as_of, only=entry.features)
    most = min(training.sample_rows, _MOST_ROWS)
    chosen = features.sample(entry.of, features.as_of, most, training.seed)
    features.connection.execute(f"create or replace temp table sampled as {chosen}")
    row = features.connection.execute("select count(*) from sampled").fetchone()
    count = row[0] if row else 0
    if count < training.least_rows:
        raise TooLittleDataError(f"{count} rows; it takes {training.least_rows}")
    if not encoding.columns:
        raise TooLittleDataError("all features are the same in all rows; nothing tells them apart")
    return encoding, _read(features, encoding)


def _read(features: Features, encoding: Encoding) -> Matrix:
    rows = features.connection.execute(f"select {encoding.sql} from sampled order by profile_id")
    return matrix_of(rows.fetchnumpy(), encoding)


def _before(features: Features, previous: Clustering | None, tell: Tell) -> Labels | None:
    """Positions of the clusters that the last clustering gives to the rows of `sampled`."""
    if previous is None:
        return None
    known = {row[0] for row in features.connection.execute("describe sampled").fetchall()}
    if gone := [one for one in previous.encoding.features if one not in known]:
        tell(f"names and numbers of clusters begin anew: there is no {', '.join(gone)} any more")
        return None
    return previous.assign(_read(features, previous.encoding))


def _continued(
    grouping: Grouping, rows: Matrix, before: Labels | None, previous: Clustering | None
) -> tuple[Grouping, dict[int, str], tuple[int, ...], int]:
    """The groups in the order of their numbers; by position the names that they had, and numbers.

    New groups are numbered by size, the largest first; of equals by where they lie.
    """
    labels = grouping.assign(rows)
    sizes = np.bincount(labels, minlength=len(grouping))
    means = Profiles.of(rows, rows, labels).means
    order = np.lexsort((*means.T[::-1], -sizes))
    grouping = grouping.reordered(order)
    first, continued, kept = 1, {}, {}
    if before is not None and previous is not None:
        first = previous.next_number
        pairs = matched(grouping.assign(rows), before)
        continued = {new: previous.numbers[old] for new, old in pairs.items()}
        kept = {new: previous.names[old] for new, old in pairs.items()}
    numbers = numbered(len(grouping), continued, first)
    places = np.argsort(numbers, kind="stable")
    return (
        grouping.reordered(places),
        {new: kept[old] for new, old in enumerate(places.tolist()) if old in kept},
        tuple(numbers[place] for place in places.tolist()),
        max(first, max(numbers) + 1),
    )
