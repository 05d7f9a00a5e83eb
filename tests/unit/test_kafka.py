"""Kafka against librdkafka's mock cluster: cursors, garbage, retention, and errors in one line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from orchestration.connectors.pull import PullReport, last_pull, pull
from orchestration.connectors.registry import load_sources
from orchestration.connectors.sources import kafka as kafka_module
from orchestration.connectors.sources import kafka_client
from orchestration.connectors.sources.base import SourceError
from orchestration.connectors.sources.kafka import KafkaSource
from tests.mock_kafka import PARTITION_BYTES, MockCluster, mock_cluster
from tests.refusing_kafka import refusing_broker

FETCH, OFFSET_COMMIT = 1, 8  # requests of Kafka's protocol


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with mock_cluster() as running:
        running.create("web-events", 3)
        yield running


def _source(cluster: MockCluster, topic: str = "web-events", **more: Any) -> KafkaSource:
    of_topic = {
        name: more.pop(name) for name in ("entity", "mapping", "max_messages") if name in more
    }
    return KafkaSource(
        name="clicks",
        brokers=cluster.brokers,
        topics=[{"topic": topic, "entity": "web_events", **of_topic}],
        **{"timeout_seconds": 5, **more},
    )


class Home:
    def __init__(self, folder: Path) -> None:
        self.landing, self.state = folder / "landing", folder / "dlt"

    def pull(self, source: KafkaSource) -> PullReport:
        return pull(source, source.parts()[0], self.landing, self.state)

    def rows(self, columns: str, table: str = "web_events") -> list[tuple[Any, ...]]:
        files = f"{self.landing}/clicks/{table}/*.parquet"
        return duckdb.sql(
            f"select {columns} from read_parquet('{files}') order by _source_file, _row_number"
        ).fetchall()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def _events(first: int, last: int) -> list[str]:
    return [json.dumps({"event_id": f"e{n}", "name": "click"}) for n in range(first, last)]


def test_each_message_lands_once_and_points_back_at_itself(
    cluster: MockCluster, home: Home
) -> None:
    source = _source(cluster)
    cluster.send("web-events", _events(0, 3), partition=0)
    cluster.send("web-events", _events(3, 4), partition=2)
    more = json.dumps({"event_id": "e4", "name": "click", "colour": {"is": "red"}})
    cluster.send("web-events", [more], partition=2, key="k", timestamp=1_790_000_000_000)
    report = home.pull(source)
    assert (report.rows, report.lag_seconds, report.notes) == (5, 0.0, [])
    assert report.cursor == {"0": 3, "1": 0, "2": 2}
    assert home.pull(source).load_id is None
    cluster.send("web-events", _events(5, 6), partition=1)
    assert home.pull(source).cursor == {"0": 3, "1": 1, "2": 2}
    assert home.rows("event_id, _source_file, _row_number") == [
        ("e0", "clicks/web-events/0", 0),
        ("e1", "clicks/web-events/0", 1),
        ("e2", "clicks/web-events/0", 2),
        ("e5", "clicks/web-events/1", 0),
        ("e3", "clicks/web-events/2", 0),
        ("e4", "clicks/web-events/2", 1),
    ]
    extra = json.loads(home.rows("_extra")[-1][0])
    assert extra["record"] == {"colour": {"is": "red"}}
    assert (extra["key"], extra["partition"], extra["offset"]) == ("k", 2, 1)
    assert extra["timestamp"].startswith("2026-09-21 14:13:20")


def test_the_group_is_told_what_is_durable_and_decides_nothing(
    cluster: MockCluster, home: Home
) -> None:
    cluster.send("web-events", _events(0, 4))
    home.pull(_source(cluster, group="audience"))
    consumer = Consumer({"bootstrap.servers": cluster.brokers, "group.id": "audience"})
    (told,) = consumer.committed([TopicPartition("web-events", 0)], timeout=5)
    assert told.offset == 4
    consumer.commit(offsets=[TopicPartition("web-events", 0, 1)], asynchronous=False)
    consumer.close()
    assert home.pull(_source(cluster, group="audience")).load_id is None


def test_a_commit_that_is_refused_leaves_what_landed(cluster: MockCluster, home: Home) -> None:
    cluster.send("web-events", _events(0, 4))
    cluster.fail_next(OFFSET_COMMIT, KafkaError.GROUP_AUTHORIZATION_FAILED, 1)
    report = home.pull(_source(cluster))
    assert report.rows == 4
    (note,) = report.notes
    assert "this user may not use the consumer group" in note
    assert home.pull(_source(cluster)).load_id is None


def test_a_batch_is_bounded_and_the_rest_is_lag(cluster: MockCluster, home: Home) -> None:
    for partition in range(3):
        cluster.send("web-events", _events(0, 40), partition, timestamp=1_700_000_000_000)
    source = _source(cluster, max_messages=50)
    report = home.pull(source)
    assert report.rows == 50
    assert (report.lag_seconds or 0) > 3_000_000
    assert [home.pull(source).rows for _ in range(3)] == [50, 20, 0]
    assert len(set(home.rows("_source_file, _row_number"))) == 120


def test_what_is_no_json_object_goes_aside_and_blocks_nothing(
    cluster: MockCluster, home: Home
) -> None:
    bad = ["no json", b"\xff\xfe\x00", "", "[1, 2]", '{"event_id": "cut', b"\x00\x00\x00\x00\x07ab"]
    cluster.send("web-events", [*_events(0, 1), *bad, *_events(1, 2)])
    report = home.pull(_source(cluster))
    assert (report.rows, report.rejected) == (2, 6)
    assert report.notes == ["6 records could not be read and went aside"]
    assert report.cursor == {"0": 8, "1": 0, "2": 0}
    origin = ("web_events", "clicks/web-events/0")
    registry = "begins like a message of a schema registry; set schema_registry"
    columns = "folder, _source_file, _row_number, reason, content"
    assert home.rows(columns, "_rejected_lines") == [
        (*origin, 1, "not JSON", "no json"),
        (*origin, 2, "not JSON", "base64://4A"),
        (*origin, 3, "not JSON", ""),
        (*origin, 4, "JSON, but not an object", "[1, 2]"),
        (*origin, 5, "not JSON", '{"event_id": "cut'),
        (*origin, 6, registry, "\x00\x00\x00\x00\x07ab"),
    ]
    assert home.pull(_source(cluster)).load_id is None


def test_many_rejects_end_a_read_early_and_none_is_lost(
    cluster: MockCluster, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_module, "_MAX_REJECTED_BYTES", 1)
    monkeypatch.setattr(kafka_client, "CHUNK_MESSAGES", 10)
    cluster.send("web-events", ["bad"] * 25)
    assert [home.pull(_source(cluster)).rejected for _ in range(4)] == [10, 10, 5, 0]


def test_tombstones_delete_where_the_mapping_says_so(cluster: MockCluster, home: Home) -> None:
    cluster.send("web-events", _events(0, 1), key="e0")
    cluster.send("web-events", [None, None], key="e0")
    mapping = {"columns": {"event_id": '"key"', "name": "\"record\"->>'$.name'"}}
    report = home.pull(_source(cluster, mapping=mapping))
    assert report.notes == [
        "2 messages without a value were passed over; mapping.deleted can say that they delete"
    ]
    mapping["deleted"] = '"record" is null'  # type: ignore[assignment]
    other = Home(home.landing.parent / "other")
    assert other.pull(_source(cluster, mapping=mapping)).rows == 3
    assert other.rows("event_id, name, _deleted") == [
        ("e0", "click", False),
        ("e0", None, True),
        ("e0", None, True),
    ]


def test_what_retention_removed_is_told_and_counted(cluster: MockCluster, home: Home) -> None:
    source = _source(cluster)
    cluster.send("web-events", _events(0, 5))
    home.pull(source)
    record = json.dumps({"event_id": "big", "name": "x" * 9_000})
    sent = 2 * PARTITION_BYTES // len(record)
    cluster.send("web-events", [record] * sent)
    report = home.pull(source)
    lost = 5 + sent - (5 + report.rows)
    assert lost > 0
    assert report.notes == [
        f"partition 0: {lost} messages were lost, the broker removed them before they were read; "
        "pull more often or let it keep them longer"
    ]
    assert report.cursor == {"0": 5 + sent, "1": 0, "2": 0}
    cluster.fail_next(FETCH, KafkaError.OFFSET_OUT_OF_RANGE, 1)
    cluster.send("web-events", _events(5, 6))
    with pytest.raises(SourceError, match="were removed while they were read") as caught:
        home.pull(source)
    assert caught.value.is_transient
    assert home.pull(source).rows == 1


def test_new_partitions_and_a_topic_made_anew_begin_at_their_oldest(
    cluster: MockCluster,
) -> None:
    source = _source(cluster)
    cluster.send("web-events", _events(0, 2), partition=1)
    cluster.send("web-events", _events(2, 4), partition=2)
    batches = list(source.read(source.parts()[0], {"0": 0, "1": 9}))
    assert sum(batch.rows.num_rows for batch in batches) == 4
    assert batches[-1].cursor == {"0": 0, "1": 2, "2": 2}
    assert batches[-1].notes == [
        "partition 1 ends at 2 but was read up to 9: the topic was made anew, and is read from "
        "its beginning"
    ]


def test_an_empty_topic_is_no_load_and_no_problem(cluster: MockCluster, home: Home) -> None:
    source = _source(cluster)
    assert source.problems() == []
    assert home.pull(source).load_id is None
    assert last_pull(home.landing, "clicks", "web-events") is None


def test_problems_are_one_line_that_names_the_cure(cluster: MockCluster) -> None:
    assert _source(cluster, topic="nothing").problems() == [
        f"{cluster.brokers} has no topic nothing, or keeps it from this user; check topics"
    ]
    cluster.send("web-events", ['{"id": 1}'])
    assert _source(cluster).problems() == [
        "clicks/web-events/0 offset 0: the mapping finds no event_id"
    ]
    cluster.send("web-events", ["garbage"])
    assert _source(cluster).problems() == ["clicks/web-events/0 offset 1 cannot be read: not JSON"]
    cluster.fail_topic("web-events", KafkaError.TOPIC_AUTHORIZATION_FAILED)
    assert _source(cluster).problems() == [
        "this user may not read topic web-events; grant it READ and DESCRIBE"
    ]
    (line,) = _source(cluster, settings={"securty.protocol": "SSL"}).problems()
    assert line == 'settings: No such configuration property: "securty.protocol"'


def test_no_broker_is_a_transient_error_in_bounded_time(cluster: MockCluster, home: Home) -> None:
    source = _source(cluster, timeout_seconds=1)
    cluster.send("web-events", _events(0, 3))
    home.pull(source)
    cluster.set_down(True)
    with pytest.raises(SourceError, match=r"clicks/web-events: no broker of .* can be") as caught:
        home.pull(source)
    assert caught.value.is_transient
    with pytest.raises(SourceError):
        source.committed(source.parts()[0], {"0": 3})
    cluster.set_down(False)
    cluster.send("web-events", _events(3, 4))
    assert home.pull(source).rows == 1
    (line,) = KafkaSource(
        name="clicks",
        brokers="nowhere.invalid:9092",
        timeout_seconds=1,
        topics=[{"topic": "t", "entity": "web_events"}],
    ).problems()
    assert line == "no host of nowhere.invalid:9092 is known; check brokers"


def test_a_broker_that_falls_silent_midway_lands_nothing(
    cluster: MockCluster, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_client, "CHUNK_MESSAGES", 100)
    small: dict[str, Any] = {
        "queued.min.messages": 100,
        "queued.max.messages.kbytes": 100,
        "fetch.message.max.bytes": 20_000,
    }
    source = _source(cluster, settings=small, timeout_seconds=1)
    cluster.send("web-events", [json.dumps({"event_id": "e", "name": "x" * 900})] * 3_000)
    reading = source.read(source.parts()[0], None)
    assert next(reading).rows.num_rows > 0
    cluster.set_down(True)
    with pytest.raises(SourceError) as caught:
        list(reading)
    assert caught.value.is_transient
    cluster.set_down(False)
    assert home.pull(source).rows == 3_000


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("settings: {sasl.password: hunter2}", "sasl.password is a secret; write \\$\\{NAME\\}"),
        ("settings: {auto.offset.reset: latest}", "auto.offset.reset is Muster's own"),
        ("settings: {group.id: x}", "group.id is set by group"),
        ("brokers: ''", "brokers: "),
        ("topics: []", "topics: "),
        ("topics: [{topic: a, entity: web_clicks}]", "unknown entity 'web_clicks'"),
        (
            "topics: [{topic: a, entity: web_events}, {topic: a, entity: shop_orders}]",
            "topic a is listed twice",
        ),
    ],
)
def test_a_faulty_definition_is_refused_without_its_secrets(
    line: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {"brokers": "b:9092", "topics": "[{topic: t, entity: web_events}]"}
    name, value = line.split(": ", 1)
    body = "".join(f"    {key}: {text}\n" for key, text in ({**whole, name: value}).items())
    path = tmp_path / "sources.yml"
    path.write_text(f"sources:\n  - name: clicks\n    type: kafka\n{body}")
    monkeypatch.setenv("MUSTER_SOURCES", str(path))
    with pytest.raises(ValueError, match=said) as caught:
        load_sources()
    assert "hunter2" not in str(caught.value)


def test_a_wrong_password_is_named_but_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_PASSWORD", "hunter2-hunter2")
    with refusing_broker() as brokers:
        source = KafkaSource(
            name="clicks",
            brokers=brokers,
            settings={
                "security.protocol": "SASL_PLAINTEXT",
                "sasl.mechanism": "PLAIN",
                "sasl.username": "muster",
                "sasl.password": "${KAFKA_PASSWORD}",
            },
            timeout_seconds=2,
            topics=[{"topic": "t", "entity": "web_events"}],
        )
        assert source.problems() == [
            f"{brokers} refused the credentials; check the sasl.* entries in settings"
        ]
    monkeypatch.delenv("KAFKA_PASSWORD")
    assert source.problems() == ["source clicks needs the environment variable KAFKA_PASSWORD"]
