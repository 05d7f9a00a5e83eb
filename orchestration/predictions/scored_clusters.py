"""A kept clustering, and how it labels rows: the counterpart of `scored.Predictor`."""

from dataclasses import dataclass

import numpy as np

from orchestration.predictions.clustering import Clustering, TrainedClusters
from orchestration.predictions.drift import Spreads, spread_of
from orchestration.predictions.encoding import Encoding, Matrix
from orchestration.predictions.scored import Scored, binned, top_reasons


@dataclass
class ClusterModel:
    """A clustering that gives a label for each row, and how its features were spread."""

    clustering: Clustering
    spreads: Spreads

    @classmethod
    def of(cls, trained: TrainedClusters) -> "ClusterModel":
        """With the spread of the rows it was found in."""
        columns = trained.clustering.encoding.columns
        spreads = {
            one.label: spread_of(trained.matrix[:, place]) for place, one in enumerate(columns)
        }
        return cls(trained.clustering, spreads)

    @property
    def encoding(self) -> Encoding:
        """Its columns."""
        return self.clustering.encoding

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the clusters by position."""
        return self.clustering.names

    def score(self, matrix: Matrix) -> Scored:
        """Label rows; they have no score."""
        nothing = np.full(len(matrix), np.nan)
        return Scored(
            nothing,
            self.clustering.assign(matrix),
            top_reasons(self.clustering.contributions(matrix)),
            binned(self.encoding, self.spreads, matrix, nothing),
        )
