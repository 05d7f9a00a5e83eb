"""One connection to a Kafka cluster: partitions, watermarks, messages up to an end, commits.

Everything that can go wrong comes out as a `SourceError` in one line. What a message means belongs
to `kafka_messages.py`, where to begin and what to read to `kafka.py`.
"""

import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self, cast

from orchestration.connectors.sources.base import SourceError

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message

CHUNK_MESSAGES = 50_000
_WAIT_SECONDS = 0.5  # at most, for a chunk to fill
_LONGEST_COMMIT_SECONDS = 45.0

# What a user's settings may change.
_DEFAULTS: Mapping[str, str | int | float | bool] = {
    "log_level": 2,  # librdkafka writes to stderr by itself; what matters is raised
    "fetch.wait.max.ms": 100,  # else an empty partition holds up a small read for half a second
}
# What Muster's own cursors rest on. A reset that is not an error would skip or repeat silently.
FIXED: Mapping[str, str | int | float | bool] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
}


class Watermarks(NamedTuple):
    """The offset of a partition's oldest message, and the one its next message will have."""

    low: int
    high: int


class Chunk(NamedTuple):
    """Messages in the order of their partition, and the next offset of every partition."""

    messages: "list[Message]"
    position: dict[int, int]


def partition_of(message: "Message") -> int:
    """The partition of a message, which one that was read always has."""
    return cast(int, message.partition())


def offset_of(message: "Message") -> int:
    """The offset of a message, which one that was read always has."""
    return cast(int, message.offset())


def _cause(error: "KafkaError", brokers: str, topic: str) -> tuple[str, bool]:
    """What an error of librdkafka means and what to do, and whether it may pass by itself."""
    from confluent_kafka import KafkaError as Code

    unreachable = (
        f"no broker of {brokers} can be reached; check brokers, the network and security.protocol"
    )
    refused = f"{brokers} refused the credentials; check the sasl.* entries in settings"
    unknown = f"{brokers} has no topic {topic}, or keeps it from this user; check topics"
    known = {
        Code._AUTHENTICATION: (refused, False),
        Code.SASL_AUTHENTICATION_FAILED: (refused, False),
        Code._SSL: (f"no TLS with {brokers}; check security.protocol and ssl.ca.location", False),
        Code._RESOLVE: (f"no host of {brokers} is known; check brokers", True),
        Code._TRANSPORT: (unreachable, True),
        Code._ALL_BROKERS_DOWN: (unreachable, True),
        Code._TIMED_OUT: (unreachable, True),
        Code._UNKNOWN_TOPIC: (unknown, False),
        Code._UNKNOWN_PARTITION: (unknown, False),
        Code.UNKNOWN_TOPIC_OR_PART: (unknown, False),
        Code.TOPIC_AUTHORIZATION_FAILED: (
            f"this user may not read topic {topic}; grant it READ and DESCRIBE",
            False,
        ),
        Code.GROUP_AUTHORIZATION_FAILED: (
            "this user may not use the consumer group; grant it READ on it, or name another group",
            False,
        ),
        Code._AUTO_OFFSET_RESET: (
            f"messages of topic {topic} were removed while they were read; the next pull goes on",
            True,
        ),
    }
    passing = {
        Code._WAIT_COORD,
        Code.LEADER_NOT_AVAILABLE,
        Code.NOT_LEADER_FOR_PARTITION,
        Code.REQUEST_TIMED_OUT,
        Code.BROKER_NOT_AVAILABLE,
        Code.REPLICA_NOT_AVAILABLE,
        Code.COORDINATOR_NOT_AVAILABLE,
        Code.COORDINATOR_LOAD_IN_PROGRESS,
        Code.NOT_COORDINATOR,
    }
    said = " ".join(error.str().split())
    return known.get(error.code(), (f"topic {topic}: {said}", error.code() in passing))


class Connection:
    """A consumer with partitions assigned by hand; use it as a context.

    Args:
        brokers: `host:port`, several with commas.
        group: the consumer group that commits go to.
        settings: librdkafka's, with secrets resolved.
        timeout_seconds: how long nothing may happen before that is an error.

    Raises:
        SourceError: librdkafka does not take the settings.
    """

    def __init__(
        self,
        brokers: str,
        group: str,
        settings: Mapping[str, str | int | float | bool],
        timeout_seconds: float,
    ) -> None:
        from confluent_kafka import Consumer, KafkaException

        self.brokers, self.timeout = brokers, timeout_seconds
        self.faults: list[KafkaError] = []
        own = {
            "bootstrap.servers": brokers,
            "group.id": group,
            "error_cb": self.faults.append,
            # We join no group: this only bounds how long a commit waits for its coordinator.
            "session.timeout.ms": int(1000 * min(timeout_seconds, _LONGEST_COMMIT_SECONDS)),
        }
        try:
            self.consumer = Consumer({**_DEFAULTS, **settings, **FIXED, **own})
        except (KafkaException, ValueError, TypeError) as error:
            said = error.args[0].str() if isinstance(error, KafkaException) else str(error)
            raise SourceError(f"settings: {' '.join(said.split())}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.consumer.close()

    def failure(self, error: "KafkaError", topic: str) -> SourceError:
        """The error to raise: of what the connection met, what tells most."""
        from confluent_kafka import KafkaError as Code

        telling = (Code._AUTHENTICATION, Code._SSL, Code._RESOLVE)
        if error.code() in (Code._TRANSPORT, Code._TIMED_OUT, Code._ALL_BROKERS_DOWN):
            self.consumer.poll(0)  # hands over what is queued for `faults`
            error = next((fault for fault in self.faults if fault.code() in telling), error)
        said, is_transient = _cause(error, self.brokers, topic)
        of_source = {
            *telling,
            Code.SASL_AUTHENTICATION_FAILED,
            Code._TRANSPORT,
            Code._ALL_BROKERS_DOWN,
        }
        return SourceError(said, is_transient=is_transient, is_of_source=error.code() in of_source)

    def watermarks(self, topic: str) -> dict[int, Watermarks]:
        """What each partition of a topic holds now.

        Raises:
            SourceError: the cluster or the topic cannot be read.
        """
        from confluent_kafka import KafkaException, TopicPartition

        try:
            found = self.consumer.list_topics(topic, timeout=self.timeout).topics[topic]
            if found.error is not None:
                raise self.failure(found.error, topic)
            return {
                number: Watermarks(
                    *self.consumer.get_watermark_offsets(
                        TopicPartition(topic, number), timeout=self.timeout
                    )
                )
                for number in sorted(found.partitions)
            }
        except KafkaException as error:
            raise self.failure(error.args[0], topic) from None

    def messages(
        self, topic: str, begin: Mapping[int, int], end: Mapping[int, int], limit: int
    ) -> Iterator[Chunk]:
        """Read every partition from `begin` until its `end` is reached, at most `limit` messages.

        Offsets have gaps (compaction, marks of transactions), so an end also counts as reached
        where the broker says that nothing follows.

        Raises:
            SourceError: the topic cannot be read, or nothing came for `timeout_seconds`.
        """
        from confluent_kafka import KafkaError as Code
        from confluent_kafka import TopicPartition

        position = dict(begin)
        unread = {number for number in begin if begin[number] < end[number]}
        self.consumer.assign([TopicPartition(topic, n, begin[n]) for n in sorted(unread)])
        heard = time.monotonic()
        while unread and limit > 0:
            expected = sum(end[number] - position[number] for number in unread)
            chunk = self.consumer.consume(min(CHUNK_MESSAGES, limit, expected), _WAIT_SECONDS)
            good = [message for message in chunk if message.error() is None]
            ended = set()
            position |= {partition_of(m): offset_of(m) + 1 for m in good}
            for message in chunk if len(good) < len(chunk) else ():
                error, number = message.error(), partition_of(message)
                if error is None:
                    continue
                if error.code() != Code._PARTITION_EOF:
                    raise self.failure(error, topic)
                ended.add(number)
                position[number] = max(position[number], offset_of(message))
            limit -= len(good)
            if chunk:
                heard = time.monotonic()
                yield Chunk(good, dict(position))
            elif time.monotonic() - heard > self.timeout:
                raise self._silence(topic, unread)
            ended |= {number for number in unread if position[number] >= end[number]}
            self.consumer.pause([TopicPartition(topic, n) for n in sorted(unread & ended)])
            unread -= ended

    def _silence(self, topic: str, unread: set[int]) -> SourceError:
        names = ", ".join(str(number) for number in sorted(unread))
        if self.faults:
            return self.failure(self.faults[-1], topic)
        return SourceError(
            f"topic {topic}: nothing came from partition {names} for {self.timeout:g} seconds",
            is_transient=True,
        )

    def commit(self, topic: str, position: Mapping[int, int]) -> None:
        """Tell the consumer group how far the topic has been read.

        Raises:
            SourceError: the broker did not take it.
        """
        from confluent_kafka import KafkaException, TopicPartition

        offsets = [TopicPartition(topic, n, offset) for n, offset in sorted(position.items())]
        try:
            answers = self.consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            raise self.failure(error.args[0], topic) from None
        for answer in answers:
            if answer.error is not None:
                raise self.failure(answer.error, topic)
