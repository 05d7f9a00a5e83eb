"""A Kafka cluster for tests: librdkafka's own mock, which speaks the real protocol on loopback.

Its C functions are in the library that confluent-kafka brings, but not in its Python API.
"""

import ctypes
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import confluent_kafka
from confluent_kafka import KafkaError, Producer

PARTITION_BYTES = 5 * 1024 * 1024  # what the mock keeps of a partition before it drops the oldest
_PRODUCER = 0


def _library() -> ctypes.CDLL:
    folder = Path(confluent_kafka.__file__).parents[1] / "confluent_kafka.libs"
    (path,) = folder.glob("librdkafka*")
    library = ctypes.CDLL(str(path))
    for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new"):
        getattr(library, name).restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    return library


class MockCluster:
    """A running cluster; `brokers` is its address."""

    def __init__(self, library: ctypes.CDLL, cluster: ctypes.c_void_p) -> None:
        self._library, self._cluster = library, cluster
        self.brokers: str = library.rd_kafka_mock_cluster_bootstraps(cluster).decode()
        self._producer = Producer(
            {"bootstrap.servers": self.brokers, "linger.ms": 5, "log_level": 2}
        )

    def create(self, topic: str, partitions: int) -> None:
        """A new topic, or more partitions of one whose messages nobody needs any more."""
        error = self._library.rd_kafka_mock_topic_create(
            self._cluster, topic.encode(), partitions, 1
        )
        assert error == 0, error

    def fail_topic(self, topic: str, error: int) -> None:
        """Answer every question about a topic with an error; 0 ends that."""
        self._library.rd_kafka_mock_topic_set_error(self._cluster, topic.encode(), error)

    def fail_next(self, api: int, error: int, times: int) -> None:
        """Answer the next requests of one kind (a number of Kafka's protocol) with an error."""
        errors = (ctypes.c_int * times)(*[error] * times)
        self._library.rd_kafka_mock_push_request_errors_array(
            self._cluster, ctypes.c_int16(api), ctypes.c_size_t(times), errors
        )

    def set_down(self, is_down: bool) -> None:
        """Take the broker away, or bring it back."""
        name = "rd_kafka_mock_broker_set_down" if is_down else "rd_kafka_mock_broker_set_up"
        getattr(self._library, name)(self._cluster, ctypes.c_int32(1))

    def send(
        self,
        topic: str,
        values: Iterable[bytes | str | None],
        partition: int = 0,
        key: bytes | str | None = None,
        timestamp: int = 0,
    ) -> None:
        """Messages to one partition, all there when this returns. `timestamp` in milliseconds."""
        failures: list[KafkaError] = []
        for value in values:
            self._producer.produce(
                topic,
                value,
                key=key,
                partition=partition,
                timestamp=timestamp,
                on_delivery=lambda error, _: failures.append(error) if error else None,
            )
            self._producer.poll(0)
        assert self._producer.flush(20) == 0
        assert not failures, failures[0]


@contextmanager
def mock_cluster() -> Iterator[MockCluster]:
    """A cluster of one broker, as long as the context lasts."""
    library = _library()
    reason = ctypes.create_string_buffer(512)
    conf = ctypes.c_void_p(library.rd_kafka_conf_new())
    handle = ctypes.c_void_p(library.rd_kafka_new(_PRODUCER, conf, reason, len(reason)))
    assert handle, reason.value
    cluster = ctypes.c_void_p(library.rd_kafka_mock_cluster_new(handle, 1))
    try:
        yield MockCluster(library, cluster)
    finally:
        library.rd_kafka_mock_cluster_destroy(cluster)
        library.rd_kafka_destroy(handle)
