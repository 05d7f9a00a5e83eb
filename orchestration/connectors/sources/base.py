"""What every pulled source is: parts that yield batches of Arrow rows, each part of one entity.

A source knows how to read; what its rows mean stands in the mappings of `sources.yml`, and how they
become durable in `pull.py`.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from orchestration.connectors.contract import entities
from orchestration.connectors.definitions import Mapping, check_mapping
from orchestration.connectors.secrets import resolved

if TYPE_CHECKING:
    import pyarrow as pa

# Five fields, or none: minute, hour, day of month, month, day of week.
_CRON = r"^$|^\s*([\d*/,\-]+\s+){3}([\w*/,\-]+\s+)[\w*/,\-]+\s*$"
_TIME = re.compile(r"\d{4}-\d\d-\d\d")
Cursor = dict[str, Any]  # what a source needs to go on from where it was; it is kept as JSON


class SourceError(RuntimeError):
    """A source cannot be read; the message says what is wrong and what to do, in one line.

    `is_transient` says that the same attempt may succeed a little later, `is_of_source` that the
    source's other parts would say the same.
    """

    def __init__(
        self, message: str, *, is_transient: bool = False, is_of_source: bool = False
    ) -> None:
        super().__init__(message)
        self.is_transient = is_transient
        self.is_of_source = is_of_source


class Batch(NamedTuple):
    """Some rows as the source has them, and where a later read begins once they are durable.

    One load takes all batches of a read, so only the last cursor that is not None counts. Rows may
    tell where they came from in columns `_source_file` (text) and `_row_number` (whole numbers);
    else they are counted. `rejected` are records that are no rows, with these two columns and
    `reason` and `content`; they land in the same load. `notes` are told to the user.
    """

    rows: "pa.Table | None" = None
    cursor: Cursor | None = None
    rejected: "pa.Table | None" = None
    notes: Sequence[str] = ()


class Part(BaseModel):
    """One table, endpoint or topic of a source, and the entity its records become.

    With `compare_keys` each pull also looks which keys there are, and lands those that are gone as
    deleted; more than half of them at once only with `allow_mass_delete`.
    """

    model_config = ConfigDict(extra="forbid")
    name: str
    entity: str
    mapping: Mapping
    compare_keys: bool = False
    allow_mass_delete: bool = False

    def is_compared(self, cursor: Cursor | None) -> bool:
        """Whether a pull that begins at `cursor` leaves out what landing holds as it is now.

        So it does where the overlap below the cursor had too many rows to mark them.
        """
        return self.compare_keys or (cursor or {}).get("seen", []) is None

    @property
    def key_expressions(self) -> list[str]:
        """The mapping's expressions of the entity's key."""
        return [self.mapping.columns[name] for name in entities()[self.entity].key]

    def model_post_init(self, _: Any) -> None:
        """Compare with the contract, and read the expressions.

        Raises:
            ValueError: the entity or one of its columns does not exist, or its key is not mapped,
                or an expression is no SQL.
        """
        check_mapping(self.entity, self.mapping.columns, {"deleted": self.mapping.deleted})


class Source(BaseModel, ABC):
    """A source that is pulled; its name is the landing dataset.

    `type` is the kind's name in the registry, `schedule` a cron line in UTC (empty: only by hand),
    `fresh_within_minutes` how old its newest pull may get before Dagster shows it as stale.
    """

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    type: str = ""
    schedule: Annotated[str, Field(pattern=_CRON)] = ""
    fresh_within_minutes: int | None = None

    @abstractmethod
    def parts(self) -> Sequence[Part]:
        """The parts, in the order in which they are pulled."""

    def sharing(self, scratch: Path | None) -> AbstractContextManager[None]:
        """While it is open, parts may share what is read but once; it is kept in `scratch`."""
        return nullcontext()

    @abstractmethod
    def read(self, part: Part, cursor: Cursor | None) -> Iterator[Batch]:
        """Read what is new of one part since `cursor` (None: all), batch by batch.

        Nothing of it is durable before the iterator ends. No batch means nothing new.

        Raises:
            SourceError: it cannot be read, or not to its end.
        """

    def present_keys(self, part: Part) -> "Iterator[pa.Table]":
        """For `compare_keys`: the columns that key and `deleted` name, of all rows there are.

        Raises:
            SourceError: they cannot be read, or this kind of source cannot tell.
        """
        raise SourceError(f"{part.name}: this kind of source cannot compare keys")

    @abstractmethod
    def problems(self) -> list[str]:
        """Connect and look at every part; a line for each thing that would fail, none if all is
        well.
        """

    def committed(self, part: Part, cursor: Cursor) -> None:
        """Called when a load is durable: a broker learns here how far it may forget."""

    def lag_seconds(self, part: Part, cursor: Cursor) -> float | None:
        """How far `cursor` is behind; None where unknown. Of a time: how old it is."""
        text = str(cursor.get("value"))
        if not _TIME.match(text):  # a number such as 20260101 would be read as a time, too
            return None
        newest = datetime.fromisoformat(text)
        newest = newest if newest.tzinfo else newest.replace(tzinfo=UTC)
        return max(0.0, (datetime.now(UTC) - newest).total_seconds())

    def secret(self, text: str) -> str:
        """`text` with its `${NAME}` references resolved.

        Raises:
            MissingSecretError: an environment variable is not set.
        """
        return resolved(text, f"source {self.name}")
