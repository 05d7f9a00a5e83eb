"""What every destination is: it takes one batch of a feed at a time, and says what it refused.

Retries, batches, what was delivered already and what becomes of refused rows belong to feeds; a
destination makes one attempt. What only some can do is a protocol of its own below.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pydantic import AfterValidator, BaseModel, ConfigDict

if TYPE_CHECKING:
    import pyarrow as pa

# After these actions the consumer holds nothing under the row's key; after any other, the row.
REMOVING = ("exit", "erase")


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of one emission.

    `rows` has `sequence` (ascending), `action`, the columns of `key`, `idempotency_key`, further
    fields, `as_of` and `snapshot_id`. `key` names what a row is about: a later row replaces an
    earlier one of the same key. `number` counts an emission's batches from 1. A `replayed` batch
    was delivered before and is to be applied again.
    """

    feed: str
    emission_id: str
    number: int
    rows: "pa.Table"
    key: tuple[str, ...]
    is_last: bool = True
    is_replayed: bool = False

    @property
    def first_sequence(self) -> int:
        """The sequence of its first row."""
        return int(self.rows["sequence"][0].as_py())

    @property
    def last_sequence(self) -> int:
        """The sequence of its last row."""
        return int(self.rows["sequence"][-1].as_py())

    @property
    def idempotency_key(self) -> str:
        """Names these rows for ever: the same on every retry."""
        first, last = self.first_sequence, self.last_sequence
        if last - first + 1 == self.rows.num_rows:
            return f"{self.feed}-{first}-{last}"
        # Rows that were refused and are tried again, without those between them.
        numbers = repr(self.rows["sequence"].to_pylist()).encode()
        return f"{self.feed}-{first}-{last}-{hashlib.sha256(numbers).hexdigest()[:16]}"


@dataclass(frozen=True)
class RowError:
    """A row that was not taken while its batch was; the reason holds no personal data.

    `is_final`: no retry would help, whatever becomes of the destination.
    """

    sequence: int
    reason: str
    is_final: bool = False


class DeliveryError(RuntimeError):
    """A batch was not taken as a whole; the message names the cause and holds no personal data.

    Args:
        message: what is wrong, and what to do about it.
        is_temporary: another attempt may succeed without anybody changing anything.
        retry_after: seconds that the destination asked to be left alone.
    """

    def __init__(
        self, message: str, *, is_temporary: bool, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.is_temporary = is_temporary
        self.retry_after = retry_after


class Session(Protocol):
    """An open destination; it is used by one thread, and closed when the emission ends."""

    def deliver(self, batch: Batch) -> Sequence[RowError]:
        """Take a batch; returns the rows that were refused, after which the others have arrived.

        Raises:
            DeliveryError: nothing of it may have arrived, or all of it; it is delivered again.
        """

    def close(self) -> None:
        """Let go of connections. Called once, also after an error."""


@runtime_checkable
class Remembers(Protocol):
    """It keeps, in one transaction with the rows, up to where it has a feed: exactly once."""

    def delivered(self, feed: str) -> int:
        """The last sequence it has of a feed; 0 if none."""


@runtime_checkable
class Completes(Protocol):
    """It marks an emission as whole, so that readers know that no batch is missing."""

    def complete(self, feed: str, emission_id: str) -> None:
        """Every batch of the emission was delivered; said again after an interruption."""


@runtime_checkable
class Clears(Protocol):
    """It can forget all it has of a feed, for `muster feed reset`."""

    def clear(self, feed: str) -> None:
        """Remove every row of the feed, and the sequence up to which it had it."""


def address(example: str) -> AfterValidator:
    """A setting that is an address like the example; what is read from the environment may be one.

    Args:
        example: `redis://host/0 (or rediss://)`, say: the schemes are taken from it.
    """
    schemes = tuple(re.findall(r"(\w+://)", example))

    def checked(url: str) -> str:
        if not url.startswith("${") and not (url.startswith(schemes) and url not in schemes):
            raise ValueError(f"is no address such as {example}")
        return url

    return AfterValidator(checked)


class Destination(BaseModel):
    """One entry of `destinations` in `feeds.yml`. Subclasses add settings and open a session.

    `batch_rows` is the most rows of a batch. `${NAME}` in a setting is read from the environment
    when a session opens (`secrets.resolved`), and never logged.
    """

    model_config = ConfigDict(extra="forbid")
    type: str
    batch_rows: int = 10_000

    def open(self, feed: str, columns: Sequence[str], key: Sequence[str]) -> Session:
        """A session for one feed, whose rows will have these columns.

        Raises:
            DeliveryError: it cannot be reached, refuses the credential, or lacks what rows need,
                such as a column of a table.
            MissingSecretError: an environment variable is not set.
        """
        raise NotImplementedError

    def place(self, feed: str) -> str:
        """Where a feed's rows are held, if what is held there must be of one feed; else empty.

        Two feeds with one place would take each other's rows away.
        """
        del feed
        return ""
