"""A clustering to a version's parts: the model, its entry, its pictures."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.predictions.cluster_pictures import draw_clusters
from orchestration.predictions.clustering import TrainedClusters, train_clusters
from orchestration.predictions.definitions import Clusters, Training
from orchestration.predictions.features import Features
from orchestration.predictions.registry import RegistryError, Version
from orchestration.predictions.scored_clusters import ClusterModel

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Making:
    """What one training has at hand: where it reads, how, and the folder that it fills."""

    name: str
    training: Training
    features: Features
    folder: Path
    tell: Tell


def make_clusters(
    making: Making, entry: Clusters, before: Version | None
) -> tuple[ClusterModel, dict[str, Any], list[Path]]:
    """Find clusters, match them to those of the version before, and draw them.

    Raises:
        TooLittleDataError: rows do not suffice, or nothing tells them apart.
    """
    previous = None
    try:
        previous = before.load().clustering if before else None
    except RegistryError as error:
        making.tell(f"{making.name}: names and numbers begin anew: {error}")
    trained = train_clusters(
        making.name, entry, making.training, making.features, previous, making.tell
    )
    model = ClusterModel.of(trained)
    return model, _entry(trained), draw_clusters(trained, making.folder)


def _entry(trained: TrainedClusters) -> dict[str, Any]:
    clustering = trained.clustering
    return {
        "kind": "clusters",
        "refused": trained.refused,
        "algorithm": trained.algorithm,
        "rows": trained.rows,
        "test_cutoff": f"{trained.cutoff}",
        "features": list(clustering.encoding.features),
        "clusters": [
            {"name": name, "number": number, "share": share, "description": description}
            for name, number, share, description in zip(
                clustering.names,
                clustering.numbers,
                trained.sizes,
                trained.descriptions,
                strict=True,
            )
        ],
        "candidates": [
            {"algorithm": one.algorithm, "clusters": one.clusters, "silhouette": one.silhouette,
             "stability": one.stability, "noise": one.noise, "why_not": one.why_not}
            for one in trained.candidates
        ],
    }  # fmt: skip
