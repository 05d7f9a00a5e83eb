"""The receiver killed at random moments under load: what it acknowledged is there, once by key."""

import http.client
import json
import random
import threading
import time
from pathlib import Path

import duckdb
import pytest

from orchestration.connectors.sources.file_drop import land_inbox
from orchestration.resources.settings import Settings
from tests.receivers import BEARER, RunningReceiver, event

CLIENTS = 4


class _Client(threading.Thread):
    """Sends batches, each until it is acknowledged, to whichever receiver lives."""

    def __init__(self, number: int, seed: int, port: "_Port") -> None:
        super().__init__(daemon=True)
        self.number, self.random, self.port = number, random.Random(f"{seed}/{number}"), port
        self.acknowledged: list[str] = []
        self.has_ended = threading.Event()

    def run(self) -> None:
        sequence = 0
        while not self.has_ended.is_set():
            size = self.random.choice((1, 10, 100))
            batch = [
                event(
                    f"{self.number}-{sequence + index}", page_url="x" * self.random.randrange(200)
                )
                for index in range(size)
            ]
            if self._send(json.dumps(batch).encode()):
                self.acknowledged += [str(entry["event_id"]) for entry in batch]
                sequence += size
            else:
                time.sleep(0.02)

    def _send(self, body: bytes) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port.number, timeout=10)
        try:
            connection.request("POST", "/v1/events", body, BEARER)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class _Port:
    """Where the receiver listens now; each start takes another free port."""

    number = 1


def _kill_often(home: Path, kills: int, seed: int, *options: str) -> None:
    print(f"seed {seed}")
    moments = random.Random(seed)
    port = _Port()
    clients = [_Client(number, seed, port) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for _ in range(kills):
        receiver = RunningReceiver(home, "--close-seconds", "0.7", *options)
        port.number = receiver.port
        seen = sum(len(client.acknowledged) for client in clients)
        while sum(len(client.acknowledged) for client in clients) == seen:
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 1.5))
        receiver.kill()
    for client in clients:
        client.has_ended.set()
        client.join(30)
    last = RunningReceiver(home, *options)
    last.request("/health", method="GET")
    assert last.stop() == 0
    _check(last, clients)


def _check(receiver: RunningReceiver, clients: list[_Client]) -> None:
    deadline = time.monotonic() + 60
    while receiver.unfinished():  # workers whose supervisor was killed end within seconds
        assert time.monotonic() < deadline, receiver.unfinished()
        time.sleep(0.1)
    settings = Settings(receiver.home)
    report = land_inbox(settings.inbox, settings.landing, settings.working / "dlt", "web")
    assert report.refused == {}
    rows = duckdb.sql(
        f"""select event_id, split_part(event_id, '-', 2)::int, _source_file, _row_number
        from read_parquet('{settings.landing}/web/web_events/*.parquet')
        order by _source_file, _row_number"""
    ).fetchall()
    rejected = list(settings.landing.glob("web/_rejected_lines/*.parquet"))
    assert rejected == [], "a torn line was landed"
    acknowledged = [key for client in clients for key in client.acknowledged]
    assert len(acknowledged) == len(set(acknowledged)) > 0
    landed = {row[0] for row in rows}
    assert set(acknowledged) - landed == set(), "acknowledged and lost"
    # What is there beyond that was on disk when the kill came before the answer, and is a prefix of
    # the batch that was being sent then.
    assert len(landed - set(acknowledged)) <= 100 * len(clients)
    # Several workers write files side by side, so order is a promise of each file.
    for client in clients:
        by_file: dict[str, list[int]] = {}
        for event_id, sequence, file, _ in rows:
            if event_id.startswith(f"e{client.number}-"):
                by_file.setdefault(file, []).append(sequence)
        assert all(sent == sorted(sent) for sent in by_file.values()), "reordered"


def test_three_kills(tmp_path: Path) -> None:
    _kill_often(tmp_path / "home", 3, random.randrange(10**6))


@pytest.mark.soak
@pytest.mark.parametrize("workers", [1, 2])
def test_fifty_kills(tmp_path: Path, workers: int) -> None:
    _kill_often(tmp_path / "home", 50, random.randrange(10**6), "--workers", str(workers))
