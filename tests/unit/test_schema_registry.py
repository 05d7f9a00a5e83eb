"""Messages in a Schema Registry's wire format, against a registry that answers over HTTP."""

import io
import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import fastavro
import pytest

from orchestration.connectors.pull import pull
from orchestration.connectors.sources.base import SourceError
from orchestration.connectors.sources.kafka import KafkaSource
from orchestration.connectors.sources.schema_registry import SchemaRegistry, UndecodableError
from tests.mock_kafka import mock_cluster

PLACE = {
    "type": "record",
    "name": "Place",
    "namespace": "shop",
    "fields": [{"name": "country", "type": "string"}],
}
EVENT = {
    "type": "record",
    "name": "Event",
    "namespace": "shop",
    "fields": [
        {"name": "event_id", "type": "string"},
        {"name": "name", "type": ["null", "string"]},
        {"name": "occurred_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {
            "name": "value",
            "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
        },
        {"name": "place", "type": "shop.Place"},
    ],
}
ANSWERS = {
    "/schemas/types": ["AVRO", "JSON", "PROTOBUF"],
    "/schemas/ids/7": {
        "schema": json.dumps(EVENT),
        "references": [{"name": "shop.Place", "subject": "place", "version": 2}],
    },
    "/subjects/place/versions/2": {"schema": json.dumps(PLACE)},
    "/schemas/ids/8": {"schema": "{}", "schemaType": "JSON"},
    "/schemas/ids/9": {"schema": "", "schemaType": "PROTOBUF"},
    "/schemas/ids/11": {"schema": json.dumps({"type": "nonsense"})},
}


class Registry(ThreadingHTTPServer):
    """Answers from `ANSWERS`; `status` overrides; `asked` are the paths so far."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        known = self.path in ANSWERS
        body = ANSWERS.get(self.path, {"error_code": 40403, "message": "Schema not found"})
        status = self.server.status if self.server.status != 200 or known else 404
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the answers are what matters."""


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _framed(number: int, body: bytes) -> bytes:
    return b"\0" + number.to_bytes(4, "big") + body


def _event(event_id: str) -> bytes:
    named: dict[str, Any] = {}
    fastavro.parse_schema(PLACE, named)
    schema = fastavro.parse_schema(EVENT, named)
    record = {
        "event_id": event_id,
        "name": "purchase",
        "occurred_at": 1_790_000_000_000,
        "value": Decimal("12.50"),
        "place": {"country": "NL"},
    }
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, schema, record)
    return _framed(7, stream.getvalue())


def test_avro_with_references_becomes_json_and_is_asked_for_once(registry: Registry) -> None:
    client = SchemaRegistry(registry.url)
    for number in range(3):
        assert json.loads(client.decode(_event(f"e{number}"))) == {
            "event_id": f"e{number}",
            "name": "purchase",
            "occurred_at": "2026-09-21T14:13:20+00:00",
            "value": "12.50",
            "place": {"country": "NL"},
        }
    assert registry.asked == ["/schemas/ids/7", "/subjects/place/versions/2"]
    assert client.decode(_framed(8, b'{"a": 1}')) == b'{"a": 1}'


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (_framed(9, b"x"), "schema 9 is PROTOBUF, which is not read"),
        (_framed(10, b"x"), "schema 10 is unknown to the schema registry"),
        (_framed(11, b"x"), "schema 11 is not valid Avro"),
        (_event("e1")[:9], "does not fit Avro schema 7"),
        (_framed(7, b"\xff" * 40), "does not fit Avro schema 7"),
    ],
)
def test_what_cannot_be_decoded_says_why(registry: Registry, payload: bytes, said: str) -> None:
    client = SchemaRegistry(registry.url)
    for _ in range(2):
        with pytest.raises(UndecodableError, match=said):
            client.decode(payload)
    assert len(registry.asked) <= 2


@pytest.mark.parametrize(
    ("status", "said", "is_transient"),
    [
        (401, "refused the credentials", False),
        (500, "answered /schemas/types with 500", True),
        (302, "answered /schemas/types with 302; check its address", False),
    ],
)
def test_a_registry_in_trouble_is_one_line(
    registry: Registry, status: int, said: str, is_transient: bool
) -> None:
    registry.status = status
    with pytest.raises(SourceError, match=said) as caught:
        SchemaRegistry(registry.url).check()
    assert caught.value.is_transient == is_transient


def test_no_registry_stops_the_pull_and_loses_nothing(registry: Registry, tmp_path: Path) -> None:
    with mock_cluster() as cluster:
        cluster.create("events", 1)
        cluster.send("events", [_event("e1"), '{"event_id": "plain"}', _framed(7, b"")])
        topics = [{"topic": "events", "entity": "web_events"}]
        where = {"name": "clicks", "brokers": cluster.brokers, "topics": topics}
        gone = KafkaSource(**where, schema_registry="http://user:hunter2@127.0.0.1:9")
        (problem,) = gone.problems()
        assert problem.startswith("schema_registry does not answer")
        with pytest.raises(SourceError, match="schema_registry does not answer") as caught:
            pull(gone, gone.parts()[0], tmp_path / "landing", tmp_path / "dlt")
        assert caught.value.is_transient
        assert "hunter2" not in str(caught.value)
        source = KafkaSource(**where, schema_registry=registry.url)
        report = pull(source, source.parts()[0], tmp_path / "landing", tmp_path / "dlt")
    assert (report.rows, report.rejected) == (2, 1)
    files = f"{tmp_path}/landing/clicks/web_events/*.parquet"
    query = f"select event_id, value, occurred_at from '{files}' order by _row_number"
    assert duckdb.sql(query).fetchall() == [
        ("e1", "12.50", "2026-09-21T14:13:20+00:00"),
        ("plain", None, None),
    ]
