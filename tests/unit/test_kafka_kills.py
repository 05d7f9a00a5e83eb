"""A pulling process is killed, again and again: every message lands, and lands once.

The processes are forked from one that has its imports done, so that a kill hits the work.
"""

import json
import multiprocessing
import random
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from confluent_kafka import Consumer, TopicPartition

from orchestration.connectors.landing import land, live_files
from orchestration.connectors.pull import last_pull, pull
from orchestration.connectors.sources.kafka import KafkaSource
from tests.mock_kafka import MockCluster, mock_cluster

TOPIC, PARTITIONS = "web-events", 3
_SENT = 150  # to each partition, before each kill


def _pull_everything(brokers: str, landing: Path, state: Path, begun: Event) -> None:
    # A kill while dlt still imports its parts would prove nothing.
    warm = landing.parent / "warm"
    land(warm / "landing", warm / "dlt", "warm", {"rows": iter([pa.table({"number": [1]})])})
    source = KafkaSource(
        name="clicks",
        brokers=brokers,
        timeout_seconds=10,
        topics=[{"topic": TOPIC, "entity": "web_events", "max_messages": 150}],
    )
    begun.set()
    while pull(source, source.parts()[0], landing, state).load_id:
        pass


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with mock_cluster() as running:
        running.create(TOPIC, PARTITIONS)
        yield running


def _landed(landing: Path) -> dict[int, list[int]]:
    """Offsets by partition of everything that counts as landed, in order, with repetitions."""
    found: dict[int, list[int]] = {number: [] for number in range(PARTITIONS)}
    files = live_files(landing, "clicks", "web_events")
    if files:
        for origin, offset in duckdb.sql(
            f"select _source_file, _row_number from read_parquet({files}) order by all"
        ).fetchall():
            found[int(origin.rsplit("/")[-1])].append(offset)
    return found


def _check_cursors(cluster: MockCluster, landing: Path) -> None:
    """Neither our cursor nor the group's is ahead of what landed."""
    last = last_pull(landing, "clicks", TOPIC)
    landed = _landed(landing)
    cursor = last.cursor if last else {}
    assert landed == {n: list(range(cursor.get(str(n), 0))) for n in range(PARTITIONS)}
    consumer = Consumer({"bootstrap.servers": cluster.brokers, "group.id": "muster-clicks"})
    told = consumer.committed([TopicPartition(TOPIC, n) for n in range(PARTITIONS)], timeout=5)
    consumer.close()
    assert all(item.offset <= cursor.get(str(item.partition), 0) for item in told)


def _kill_and_pull(cluster: MockCluster, folder: Path, kills: int) -> int:
    """Kill that many pulls, then let one end; how many kills hit one that had landed a part."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    moments = random.Random(seed)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["dlt.destinations", "dlt.sources.helpers.requests", "duckdb", "pandas"]
    )
    begun = context.Event()
    where = (cluster.brokers, folder / "landing", folder / "dlt", begun)
    sent, partly = 0, 0
    for _ in range(kills):
        for number in range(PARTITIONS):
            events = [json.dumps({"event_id": f"{number}-{sent + n}"}) for n in range(_SENT)]
            cluster.send(TOPIC, events, number)
        sent += _SENT
        process = context.Process(target=_pull_everything, args=where)
        process.start()
        assert begun.wait(60)
        process.join(moments.uniform(0.0, 1.5))
        process.kill()
        process.join()
        begun.clear()
        _check_cursors(cluster, folder / "landing")
        landed = sum(len(offsets) for offsets in _landed(folder / "landing").values())
        print(f"killed when {landed} of {sent * PARTITIONS} had landed")
        partly += 0 < landed < sent * PARTITIONS
    process = context.Process(target=_pull_everything, args=where)
    process.start()
    process.join(120)
    assert process.exitcode == 0
    _check_cursors(cluster, folder / "landing")
    assert _landed(folder / "landing") == {n: list(range(sent)) for n in range(PARTITIONS)}
    files = live_files(folder / "landing", "clicks", "web_events")
    query = f"select count(distinct event_id) from read_parquet({files})"
    assert duckdb.sql(query).fetchall() == [(PARTITIONS * sent,)]
    return partly


def test_kills_at_any_moment_lose_and_repeat_nothing(cluster: MockCluster, tmp_path: Path) -> None:
    _kill_and_pull(cluster, tmp_path, kills=3)


@pytest.mark.soak
def test_fifty_kills_lose_and_repeat_nothing(cluster: MockCluster, tmp_path: Path) -> None:
    assert _kill_and_pull(cluster, tmp_path, kills=50) > 10
