"""One connection that writes to a Kafka cluster: transactions, delivery reports, the last message.

Everything that can go wrong comes out as a `DeliveryError` in one line. After an error the producer
is thrown away, and the next call makes another: what was open of a transaction ends with that.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestration.connectors.destinations.base import DeliveryError

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError, Producer

_PACE = 1_000  # messages between two looks at delivery reports
_OF_BOTH = ("client.id", "broker.address.family", "socket.timeout.ms")
_BEGINNING = -2
_NOT_YET = (3, 5)  # unknown topic, no leader: a topic that is being made
_DEFAULTS: Mapping[str, str | int | float | bool] = {
    "log_level": 2,  # librdkafka writes to stderr by itself; what matters is raised
    "compression.type": "lz4",
    "linger.ms": 20,
    "queue.buffering.max.messages": 1_000_000,
}


class Message(NamedTuple):
    """What is sent of one row; a sequence of 0 is no row."""

    sequence: int
    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class Link:
    """Makes a producer when it is needed.

    Args:
        brokers: `host:port`, several with commas.
        settings: librdkafka's, with secrets resolved.
        timeout_seconds: how long one call to the cluster may take.
    """

    def __init__(
        self, brokers: str, settings: Mapping[str, str | int | float | bool], timeout_seconds: float
    ) -> None:
        self._brokers, self._settings, self._timeout = brokers, settings, timeout_seconds
        self._faults: list[KafkaError] = []
        self._producer: Producer | None = None
        self._topic = ""

    def _config(self) -> dict[str, Any]:
        return {
            **_DEFAULTS,
            **self._settings,
            "bootstrap.servers": self._brokers,
            "enable.idempotence": True,
            "error_cb": self._faults.append,
        }

    def _shared(self) -> dict[str, Any]:
        """The settings that are not a producer's alone."""
        kept = {
            name: value
            for name, value in self._settings.items()
            if name in _OF_BOTH or name.startswith(("sasl.", "ssl.", "security."))
        }
        return {
            **kept,
            "log_level": 2,
            "bootstrap.servers": self._brokers,
            "error_cb": self._faults.append,
        }

    def producer(self, topic: str = "") -> "Producer":
        """The producer; a new one looks for the topic, and ends what is open of its forerunner.

        Raises:
            DeliveryError: the cluster or the topic cannot be written.
        """
        from confluent_kafka import KafkaException, Producer

        if self._producer is not None:
            return self._producer
        self._topic = topic or self._topic
        milliseconds = int(1000 * self._timeout)
        times = {"delivery.timeout.ms": milliseconds, "message.timeout.ms": milliseconds}
        is_transactional = "transactional.id" in self._settings
        if is_transactional:
            times = {"transaction.timeout.ms": max(milliseconds, 1_000)}
        try:
            made = Producer({**self._config(), **times})
        except (KafkaException, ValueError, TypeError) as error:
            said = error.args[0].str() if isinstance(error, KafkaException) else str(error)
            raise DeliveryError(
                f"settings of Kafka: {' '.join(said.split())}", is_temporary=False
            ) from None
        try:
            found = made.list_topics(self._topic, timeout=self._timeout).topics[self._topic]
            if found.error is not None:
                raise KafkaException(found.error)
            if is_transactional:
                made.init_transactions(self._timeout)
        except KafkaException as error:
            made.poll(0)  # hands over what is queued for `faults`
            raise self._failure(error.args[0]) from None
        self._producer = made
        return made

    def drop(self) -> None:
        """Throw the producer away, with what it has not sent."""
        if self._producer is not None:
            self._producer.purge()
            self._producer.flush(0)
            self._producer = None

    def _failure(self, error: "KafkaError") -> DeliveryError:
        said, is_temporary = cause(error, self._faults, self._brokers, self._topic)
        self._faults.clear()
        self.drop()
        return DeliveryError(said, is_temporary=is_temporary)

    def send(self, messages: Iterator[Message]) -> list[int]:
        """Send messages and wait for them; returns the sequences of those that are too large.

        Raises:
            DeliveryError: some did not arrive.
        """
        from confluent_kafka import KafkaException

        try:
            return self._send(messages)
        except KafkaException as error:
            raise self._failure(error.args[0]) from None

    def _send(self, messages: Iterator[Message]) -> list[int]:
        from confluent_kafka import KafkaError as Code
        from confluent_kafka import KafkaException

        producer = self.producer()
        refused: list[int] = []
        failures: list[KafkaError] = []

        def report(error: "KafkaError | None", _: object) -> None:
            if error is not None:
                failures.append(error)

        for number, message in enumerate(messages):
            try:
                producer.produce(
                    message.topic,
                    message.value,
                    message.key,
                    headers=message.headers,  # type: ignore[arg-type]
                    on_delivery=report,
                )
            except KafkaException as error:
                if error.args[0].code() != Code.MSG_SIZE_TOO_LARGE:
                    raise
                refused.append(message.sequence)
            except BufferError:
                raise KafkaException(Code(Code._QUEUE_FULL)) from None
            if number % _PACE == 0:
                producer.poll(0)
        if producer.flush(self._timeout):
            raise KafkaException(Code(Code._TIMED_OUT))
        if failures:
            raise KafkaException(failures[0])
        return refused

    def send_whole(
        self, messages: Iterator[Message], note: Callable[[Sequence[int]], Message]
    ) -> list[int]:
        """Send messages and a note about them in one transaction; returns what is too large.

        Raises:
            DeliveryError: nothing of it can be seen, or it is not known; the note tells.
        """
        from confluent_kafka import KafkaException

        try:
            producer = self.producer()
            producer.begin_transaction()
            refused = self._send(messages)
            self._send(iter([note(refused)]))
            producer.commit_transaction(self._timeout)
            return refused
        except KafkaException as error:
            raise self._failure(error.args[0]) from None

    def last(self, topic: str, key: bytes) -> dict[str, Any]:
        """The newest committed message of a key, from JSON; empty if there is none.

        Raises:
            DeliveryError: the topic can neither be read nor made.
        """
        from confluent_kafka import Consumer, KafkaException

        consumer = Consumer(
            {
                **self._shared(),
                "fetch.wait.max.ms": 100,
                "group.id": "muster-feeds",  # nothing is committed to it
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
            }
        )
        try:
            return self._newest(consumer, self._made(topic), topic, key)
        except KafkaException as error:
            raise self._failure(error.args[0]) from None
        finally:
            consumer.close()

    def _made(self, topic: str) -> int:
        """How many partitions a topic has, which is made, compacted, if it is not there."""
        from confluent_kafka import KafkaError as Code
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

        producer = self.producer()
        if topic not in producer.list_topics(timeout=self._timeout).topics:
            new = NewTopic(topic, 1, config={"cleanup.policy": "compact"})
            try:
                client = AdminClient(self._shared())  # lives until its answer is there
                client.create_topics([new])[topic].result(self._timeout)
            except TimeoutError:
                raise KafkaException(Code(Code._TIMED_OUT)) from None
            except KafkaException as error:
                if error.args[0].code() != Code.TOPIC_ALREADY_EXISTS:
                    raise
        found = producer.list_topics(topic, timeout=self._timeout).topics[topic]
        if found.error is not None and found.error.code() not in _NOT_YET:
            raise KafkaException(found.error)
        return len(found.partitions) or 1

    def _newest(
        self, consumer: "Consumer", partitions: int, topic: str, key: bytes
    ) -> dict[str, Any]:
        from confluent_kafka import KafkaError as Code
        from confluent_kafka import KafkaException, TopicPartition

        consumer.assign([TopicPartition(topic, n, _BEGINNING) for n in range(partitions)])
        newest: dict[str, Any] = {}
        ended: set[int] = set()
        heard = time.monotonic()
        while len(ended) < partitions:
            for message in consumer.consume(_PACE, 0.2):
                heard = time.monotonic()
                error = message.error()
                if error is None and message.key() == key:
                    newest = json.loads(message.value() or b"{}")
                elif error is not None and error.code() == Code._PARTITION_EOF:
                    ended.add(message.partition() or 0)
                elif error is not None and error.code() not in _NOT_YET:
                    raise KafkaException(error)
            if time.monotonic() - heard > self._timeout:
                raise KafkaException(Code(Code._TIMED_OUT))
        return newest


def _words() -> dict[int, tuple[str, bool]]:
    """What an error of librdkafka means and what to do, and whether it may pass by itself."""
    from confluent_kafka import KafkaError as Code

    unreachable = (
        "no broker of {brokers} can be reached; check brokers, the network and security.protocol",
        True,
    )
    refused = ("{brokers} refused the credentials; check the sasl.* entries in settings", False)
    unknown = ("{brokers} has no topic {topic}; create it", False)
    other = "another process delivers this feed; one of the two must stop"
    return {
        Code._AUTHENTICATION: refused,
        Code.SASL_AUTHENTICATION_FAILED: refused,
        Code._SSL: ("no TLS with {brokers}; check security.protocol and ssl.ca.location", False),
        Code._RESOLVE: ("no host of {brokers} is known; check brokers", True),
        Code._TRANSPORT: unreachable,
        Code._ALL_BROKERS_DOWN: unreachable,
        Code._TIMED_OUT: unreachable,
        Code._MSG_TIMED_OUT: unreachable,
        Code._UNKNOWN_TOPIC: unknown,
        Code.UNKNOWN_TOPIC_OR_PART: unknown,
        Code.TOPIC_AUTHORIZATION_FAILED: (
            "this user may not write topic {topic}; grant it WRITE, and CREATE, READ and WRITE on "
            "the state topic",
            False,
        ),
        Code.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: (
            "this user may not use transactional ids; grant it WRITE on muster-*, or set "
            "`transactional: false`",
            False,
        ),
        Code.MSG_SIZE_TOO_LARGE: (
            "{topic} takes no message as large as one of these; set message.max.bytes in settings "
            "to its max.message.bytes, and only the rows that are too large are refused",
            False,
        ),
        Code._FENCED: (other, False),
        Code.INVALID_PRODUCER_EPOCH: (other, False),
        Code.PRODUCER_FENCED: (other, False),
    }


def cause(
    error: "KafkaError", faults: Sequence["KafkaError"], brokers: str, topic: str
) -> tuple[str, bool]:
    """The error in words, or what the connection met where that tells more."""
    from confluent_kafka import KafkaError as Code

    telling = (Code._AUTHENTICATION, Code._SSL, Code._RESOLVE)
    words = _words()
    silent = (Code._TRANSPORT, Code._TIMED_OUT, Code._MSG_TIMED_OUT, Code._ALL_BROKERS_DOWN)
    if error.code() in silent:
        error = next((fault for fault in faults if fault.code() in telling), error)
    if error.code() in words:
        said, is_temporary = words[error.code()]
        return f"Kafka: {said.format(brokers=brokers, topic=topic)}", is_temporary
    said = " ".join(error.str().split())
    return f"Kafka, topic {topic}: {said}", error.retriable() or error.txn_requires_abort()
