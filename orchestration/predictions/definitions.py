"""`dbt_project/predictions.yml`: what is predicted of whom, validated with file, line and cure.

Its entries are written by analysts, in SQL; how models are made of them is the other modules'.
"""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orchestration.resources.settings import DBT_PROJECT
from orchestration.yaml_files import load_validated

FILE = DBT_PROJECT / "predictions.yml"

_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
_Text = Annotated[str, Field(min_length=1)]


class PredictionError(ValueError):
    """A prediction cannot be made as it is defined; the message names it and the cure."""


class Prediction(BaseModel):
    """One learned trait. `of` and `baseline` are SQL over features, `outcome` over later sums."""

    model_config = ConfigDict(extra="forbid")
    description: _Text
    owner: _Text
    of: _Text
    outcome: _Text
    baseline: _Text
    horizon_days: Annotated[int, Field(ge=1, le=365, strict=True)]


class Clusters(BaseModel):
    """One clustering. `names` are rules over the means of `features`, in standard deviations."""

    model_config = ConfigDict(extra="forbid")
    description: _Text
    owner: _Text
    of: _Text
    features: Annotated[list[_Name], Field(min_length=2)]
    least_clusters: Annotated[int, Field(ge=2, le=20, strict=True)] = 2
    most_clusters: Annotated[int, Field(ge=2, le=20, strict=True)] = 8
    names: dict[_Name, _Text] = {}

    @model_validator(mode="after")
    def _some_number_is_allowed(self) -> "Clusters":
        if self.least_clusters > self.most_clusters:
            raise ValueError("'least_clusters' is above most_clusters; lower it")
        return self


class Training(BaseModel):
    """How models are made, the same for all."""

    model_config = ConfigDict(extra="forbid")
    seed: Annotated[int, Field(ge=0, strict=True)] = 1
    most_cutoffs: Annotated[int, Field(ge=1, le=50, strict=True)] = 6
    history_days: Annotated[int, Field(ge=1, strict=True)] = 28
    sample_rows: Annotated[int, Field(ge=1000, strict=True)] = 200_000
    least_rows: Annotated[int, Field(ge=20, strict=True)] = 200
    least_of_each: Annotated[int, Field(ge=5, strict=True)] = 20
    minimum_gain: Annotated[float, Field(ge=0, le=0.5)] = 0.01
    drift_limit: Annotated[float, Field(gt=0)] = 0.2


class Predictions(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid")
    predictions: dict[_Name, Prediction] = {}
    clusters: dict[_Name, Clusters] = {}
    training: Training = Training()

    @model_validator(mode="after")
    def _named_once(self) -> "Predictions":
        for name in self.clusters:
            if name in self.predictions:
                raise ValueError(f"'{name}' is both a prediction and a clustering; rename one")
        return self

    def of(self, name: str) -> Prediction | Clusters:
        """The entry of a name.

        Raises:
            PredictionError: there is none.
        """
        found = self.predictions.get(name) or self.clusters.get(name)
        if found is None:
            there = ", ".join([*self.predictions, *self.clusters]) or "none"
            raise PredictionError(f"predictions.yml has no '{name}'; there are {there}")
        return found


def load_predictions(path: Path = FILE) -> Predictions:
    """The file, validated.

    Raises:
        PredictionError: it is not what it must be; file, line and cure are named.
    """
    return load_validated(path, Predictions, PredictionError)
