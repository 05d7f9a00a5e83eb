"""A topic to landing, against consuming the same topic and throwing the messages away.

The broker is librdkafka's mock, which shares the machine with us.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from orchestration.connectors.pull import pull
from orchestration.connectors.sources.kafka import KafkaSource
from tests.mock_kafka import mock_cluster

MESSAGES, PARTITIONS = 200_000, 24


@pytest.fixture(scope="module")
def source() -> Iterator[KafkaSource]:
    """A topic of events of some 350 bytes; compressed, else the mock would drop the oldest."""
    with mock_cluster() as cluster:
        cluster.create("events", PARTITIONS)
        producer = Producer(
            {
                "bootstrap.servers": cluster.brokers,
                "compression.type": "zstd",
                "linger.ms": 50,
                "queue.buffering.max.messages": 2 * MESSAGES,
            }
        )
        for number in range(MESSAGES):
            event = {
                "event_id": f"e{number}",
                "name": "page_view",
                "occurred_at": "2026-11-01T10:00:00Z",
                "anonymous_id": f"a{number % 5000}",
                "page_url": f"https://shop.example/products/{number % 999}",
                "page_type": "product",
                "product_id": f"p{number % 999}",
                "device_type": "mobile",
                "country": "NL",
                "utm_source": "newsletter",
                "properties": {"position": number, "list": "search"},
            }
            producer.produce("events", json.dumps(event), partition=number % PARTITIONS)
        producer.flush()
        yield KafkaSource(
            name="clicks",
            brokers=cluster.brokers,
            topics=[{"topic": "events", "entity": "web_events"}],
        )


def test_consuming_alone(source: KafkaSource, benchmark) -> None:  # type: ignore[no-untyped-def]
    def consume() -> None:
        with source._connection() as connection:
            marks = connection.watermarks("events")
            begin = {number: mark.low for number, mark in marks.items()}
            end = {number: mark.high for number, mark in marks.items()}
            chunks = connection.messages("events", begin, end, MESSAGES)
            assert sum(len(chunk.messages) for chunk in chunks) == MESSAGES

    benchmark.pedantic(consume, rounds=3, warmup_rounds=1)


def test_topic_to_landing(source: KafkaSource, tmp_path: Path, benchmark) -> None:  # type: ignore[no-untyped-def]
    def fresh() -> tuple[tuple[()], dict[str, object]]:
        shutil.rmtree(tmp_path / "home", ignore_errors=True)
        return (), {}

    def land() -> None:
        home = tmp_path / "home"
        report = pull(source, source.parts()[0], home / "landing", home / "dlt")
        assert report.rows == MESSAGES

    benchmark.pedantic(land, setup=fresh, rounds=3, warmup_rounds=1)
