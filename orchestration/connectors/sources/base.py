"""What every pulled source is: parts that yield Arrow tables, each mapped onto one entity.

A source knows how to read; what its rows mean stands in the mappings of `sources.yml`, and how they
become durable in `pull.py`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orchestration.connectors.contract import entities
from orchestration.connectors.definitions import Mapping
from orchestration.connectors.secrets import resolved

if TYPE_CHECKING:
    from dlt.extract import DltResource


class SourceError(RuntimeError):
    """A source cannot be read; the message says what is wrong and what to do, in one line."""


class Part(BaseModel):
    """One table, endpoint or topic of a source, and the entity its records become."""

    model_config = ConfigDict(extra="forbid")
    entity: str
    mapping: Mapping

    @property
    def name(self) -> str:
        """What the source calls it; the records' `_source_file` begins with it."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _has_a_known_entity(self) -> "Part":
        if self.entity not in entities():
            raise ValueError(
                f"unknown entity {self.entity!r}; the contract has {', '.join(entities())}"
            )
        unknown = sorted(set(self.mapping.columns) - set(entities()[self.entity].columns))
        if unknown:
            raise ValueError(f"{self.entity} has no column {', '.join(unknown)}")
        missing = [key for key in entities()[self.entity].key if key not in self.mapping.columns]
        if missing:
            raise ValueError(f"{self.entity} needs its key: map {', '.join(missing)}")
        return self


class Source(BaseModel, ABC):
    """A source that is pulled; its name is the landing dataset.

    `schedule` is a cron line (empty: only by hand), `fresh_within_minutes` how old its newest load
    may get before Dagster shows it as stale.
    """

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    schedule: str = ""
    fresh_within_minutes: int | None = None

    @abstractmethod
    def parts(self) -> Sequence[Part]:
        """The parts, in the order in which they are pulled."""

    @abstractmethod
    def resource(self, part: Part) -> "DltResource":
        """Reads what is new of one part: Arrow tables, the cursor kept in dlt's state.

        Raises:
            SourceError: at once or while reading, if the part cannot be read.
        """

    @abstractmethod
    def problems(self) -> list[str]:
        """Connects and looks at every part; a line for each thing that would fail."""

    def committed(self, part: Part, state: dict[str, Any]) -> None:
        """Called after a load is durable, with the part's state; a broker learns offsets here."""

    def secret(self, text: str) -> str:
        """`text` with its `${NAME}` references resolved."""
        return resolved(text, f"source {self.name}")
