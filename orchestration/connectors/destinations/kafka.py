"""Kafka: a message for each row, keyed by profile, in transactions that consumers see whole.

How far the feed came is a message in a topic of its own, written in the same transaction. Only one
producer writes there (its transactional id is the feed's), so after it has begun, nothing of a dead
one is open any more and the last message is the truth. `kafka_producer.py` speaks with the cluster.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from orchestration.connectors.destinations.base import Batch, Destination, RowError
from orchestration.connectors.destinations.kafka_producer import Link, Message
from orchestration.connectors.destinations.rows import after, as_json, dicts
from orchestration.connectors.secrets import resolved

if TYPE_CHECKING:
    import pyarrow as pa

Setting = str | int | float | bool


class KafkaDestination(Destination):
    """`brokers` is `host:port`, several with commas; `topic` is by default the feed's name.

    `settings` are librdkafka's. With `transactional: false` a batch that is delivered again is in
    the topic again, under the same keys. `state_topic`, by default `muster-<feed>`, is the feed's
    alone.
    """

    type: Literal["kafka"]
    brokers: str
    topic: str = ""
    state_topic: str = ""
    transactional: bool = True
    settings: dict[str, Setting] = Field(default_factory=dict)
    timeout_seconds: float = 30.0

    def place(self, feed: str) -> str:
        """The topic."""
        return f"{self.brokers} topic {self.topic or feed}"

    def open(self, feed: str, columns: Sequence[str], key: Sequence[str]) -> "KafkaSession":
        """Connects; the topic must exist, or be one that the broker makes by itself."""
        where = f"destination of {feed}"
        settings = {
            name: resolved(value, where) if isinstance(value, str) else value
            for name, value in self.settings.items()
        }
        if self.transactional:
            settings["transactional.id"] = f"muster-{feed}"
        topic = self.topic or feed
        link = Link(resolved(self.brokers, where), settings, self.timeout_seconds)
        by = ("profile_id",) if "profile_id" in columns else tuple(key)
        if not self.transactional:
            link.producer(topic)
            return KafkaSession(link, topic, by)
        session = TransactionalKafkaSession(
            link, topic, by, feed, self.state_topic or f"muster-{feed}"
        )
        session.delivered(feed)
        return session


class KafkaSession:
    """One producer, idempotent: its own retries repeat nothing."""

    def __init__(self, link: Link, topic: str, by: Sequence[str]) -> None:
        self._link, self._topic, self._by = link, topic, by

    def _messages(self, rows: "pa.Table") -> Iterator[Message]:
        """Every row, also of one key, since a topic is a log."""
        for row in dicts(rows):
            yield Message(
                int(row["sequence"]),
                self._topic,
                ":".join(str(row[name]) for name in self._by).encode(),
                as_json(row),
                [("idempotency-key", str(row["idempotency_key"]).encode())],
            )

    def deliver(self, batch: Batch) -> Sequence[RowError]:
        """Send rows, and wait until the brokers have them; one that is too large is refused."""
        refused = self._link.send(self._messages(batch.rows))
        return [_too_large(sequence) for sequence in refused]

    def close(self) -> None:
        """Let go of the producer."""
        self._link.drop()


class TransactionalKafkaSession(KafkaSession):
    """A transaction for each batch; it remembers (`Remembers`) and can forget (`Clears`)."""

    def __init__(
        self, link: Link, topic: str, by: Sequence[str], feed: str, state_topic: str
    ) -> None:
        super().__init__(link, topic, by)
        self._feed, self._state_topic = feed, state_topic
        self._held: dict[str, Any] | None = None

    def _state(self) -> dict[str, Any]:
        # Known as long as nothing failed: the cluster lets no other producer write it meanwhile.
        if self._held is None:
            self._link.producer(self._topic)  # first: see the charter
            self._held = self._link.last(self._state_topic, self._feed.encode())
        return self._held

    def _send_with(
        self, state: Callable[[Sequence[int]], dict[str, Any]], messages: Iterator[Message]
    ) -> Sequence[int]:
        self._held = None  # not known until it is committed
        noted: dict[str, Any] = {}

        def note(refused: Sequence[int]) -> Message:
            noted.update(state(refused))
            return Message(0, self._state_topic, self._feed.encode(), as_json(noted), [])

        refused = self._link.send_whole(messages, note)
        self._held = noted
        return refused

    def delivered(self, feed: str) -> int:
        """The last sequence of a committed transaction."""
        return int(self._state().get("last_sequence", 0))

    def deliver(self, batch: Batch) -> Sequence[RowError]:
        """Send rows and state in one transaction; what is there already is not sent again."""
        held = self._state()
        last = int(held.get("last_sequence", 0))
        rows = batch.rows if batch.is_replayed else after(batch.rows, last)
        within = range(batch.first_sequence, batch.last_sequence + 1)
        stored = [] if batch.is_replayed else held.get("refused", [])
        before = [one for one in stored if one in within]
        if rows.num_rows == 0:
            return [_too_large(one) for one in before]
        final = rows.slice(rows.num_rows - 1).to_pylist()[0]

        def state(refused: Sequence[int]) -> dict[str, Any]:
            if batch.last_sequence <= last:
                return held
            return {
                "last_sequence": batch.last_sequence,
                "as_of": final.get("as_of"),
                "snapshot_id": final.get("snapshot_id"),
                "refused": [*before, *refused],
            }

        found = self._send_with(state, self._messages(rows))
        return [_too_large(one) for one in (*before, *found)]

    def clear(self, feed: str) -> None:
        """Forget how far the feed came. The topic is a log: its messages stay."""
        self._link.producer(self._topic)
        self._send_with(lambda _: {"last_sequence": 0}, iter(()))


def _too_large(sequence: int) -> RowError:
    return RowError(
        sequence, "the message is larger than message.max.bytes of the topic or the settings"
    )
