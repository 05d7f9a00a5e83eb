"""`muster receive` as a process: status codes, formats, limits, back-pressure, landing."""

import gzip
import http.client
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.connectors.sources.file_drop import land_inbox, new_files
from orchestration.resources.settings import PROJECT_ROOT, Settings
from tests.receivers import BASIC, BEARER, KEY, SECOND_KEY, RunningReceiver, event

TRACK = {
    "type": "track",
    "event": "Product Viewed",
    "messageId": "m1",
    "anonymousId": "a1",
    "timestamp": "2026-11-01T10:00:00Z",
    "properties": {"product_id": "p1"},
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningReceiver]:
    """One receiver for all tests that only look at answers."""
    receiver = RunningReceiver(tmp_path_factory.mktemp("receiver") / "home", "--close-seconds", "1")
    yield receiver
    assert receiver.stop() == 0


def _land(receiver: RunningReceiver, source: str = "web") -> None:
    home = Settings(receiver.home)
    land_inbox(home.inbox, home.landing, home.working / "dlt", source)


def _landed(receiver: RunningReceiver, columns: str) -> list[tuple[object, ...]]:
    files = f"{receiver.home}/landing/*/web_events/*.parquet"
    query = f"select {columns} from read_parquet('{files}') order by _source_file, _row_number"
    return duckdb.sql(query).fetchall()


def _until(condition: object, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


@pytest.mark.parametrize(
    "headers",
    [BEARER, BASIC, {"X-Api-Key": KEY}, {"X-Api-Key": SECOND_KEY}],
    ids=["bearer", "basic", "header", "second key"],
)
@pytest.mark.parametrize("path", ["/v1/events", "/v1/track"])
def test_every_way_to_carry_a_key(
    shared: RunningReceiver, headers: dict[str, str], path: str
) -> None:
    assert shared.request(path, event("auth"), headers)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic d3Jvbmc6"},
        {"X-Api-Key": KEY[:-1]},
        {"X-Api-Key": "shop"},
    ],
)
def test_without_a_known_key_nothing_is_read(
    shared: RunningReceiver, headers: dict[str, str]
) -> None:
    before = len(shared.stored())
    status, answer, answered = shared.request("/v1/events", event("intruder"), headers)
    assert status == 401 and "key" in str(answer["error"])
    assert answered["www-authenticate"].startswith("Basic")
    assert len(shared.stored()) == before


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/v1/events", b"", "the body is empty"),
        ("/v1/events", b" \n ", "the body is empty"),
        ("/v1/events", b"3", "the body is a number; send an object"),
        ("/v1/events", b'[{"a":1},', "the body is not valid JSON"),
        ("/v1/events", b'[{"a":1}, "b"]', "element 1 is a string; each must be a JSON object"),
        ("/v1/events", b'[{"a":1}, [2]]', "element 1 is an array"),
        ("/v1/events", b"[null]", "element 0 is null"),
        ("/v1/events", b'{"a":1}\n{"a":', "line 2 is not valid JSON"),
        ("/v1/events", b'{"a":1}\n\n7\n', "line 3 is a number"),
        ("/v1/events", b'{"a":NaN}', "not valid JSON"),
        ("/v1/events", b'{"a":"\xff"}', "not valid JSON"),
        ("/v1/events", b"[" * 5000, "not valid JSON"),
        ("/v1/events", b'{"a":' * 500 + b"1" + b"}" * 500, "element 0 is nested too deeply"),
        ("/v1/batch", b"[]", "the body is an array; it must be a JSON object"),
        ("/v1/batch", b"{}", 'the body has no array "batch"'),
        ("/v1/batch", b'{"batch": {}}', 'the body has no array "batch"'),
        ("/v1/batch", b'{"batch": [{}, {}, true]}', "batch element 2 is a boolean"),
        ("/v1/track", b"[{}]", "the body is an array"),
        ("/v1/identify", b"nonsense", "the body is not valid JSON"),
    ],
)
def test_a_malformed_body_is_named_and_nothing_of_it_stored(
    shared: RunningReceiver, path: str, body: bytes, message: str
) -> None:
    folder = "web/events" if path == "/v1/events" else "segment/events"
    before = len(shared.stored(folder))
    status, answer, _ = shared.request(path, body)
    assert (status, message in str(answer["error"])) == (400, True), answer
    assert len(shared.stored(folder)) == before


def test_other_addresses_and_methods(shared: RunningReceiver) -> None:
    assert shared.request("/v1/nothing", {})[0] == 404
    assert shared.request("/v1/events", method="GET")[0] == 405


def test_a_body_that_is_too_large_is_refused(shared: RunningReceiver) -> None:
    huge = b'{"a": "' + b"x" * 5_000_000 + b'"}'
    status, answer, _ = shared.request("/v1/events", huge)
    assert status == 413 and "5,000,000 bytes" in str(answer["error"])
    packed = {**BEARER, "Content-Encoding": "gzip"}
    assert shared.request("/v1/events", gzip.compress(huge), packed)[0] == 413
    assert shared.request("/v1/events", gzip.compress(bytes(500_000_000), 1), packed)[0] == 413
    one = [event(1), event(2, properties="x" * 1_000_000)]
    status, answer, _ = shared.request("/v1/events", one)
    assert status == 413 and "element 1" in str(answer["error"])


def test_gzip_is_unpacked_and_damage_named(shared: RunningReceiver) -> None:
    packed = gzip.compress(json.dumps([event("gzip")]).encode())
    headers = {**BEARER, "Content-Encoding": "gzip"}
    assert shared.request("/v1/events", packed, headers)[0] == 200
    assert "egzip" in [stored["event_id"] for stored in shared.stored()]
    assert shared.request("/v1/events", packed[:-9], headers)[0] == 400
    assert shared.request("/v1/events", b"no gzip", headers)[0] == 400
    brotli = {**BEARER, "Content-Encoding": "br"}
    assert shared.request("/v1/events", packed, brotli)[0] == 415


def test_segment_batches_are_stored_as_messages_in_their_order(shared: RunningReceiver) -> None:
    messages = [
        {**TRACK, "messageId": "order-0", "writeKey": KEY},
        {"type": "identify", "messageId": "order-1", "userId": "u1", "traits": {"email": "a@b.c"}},
        {"type": "page", "messageId": "order-2", "context": {"ip": "::1"}, "name": "Home"},
    ]
    body = {"batch": messages, "sentAt": "2026-11-01T10:00:05Z", "context": {"app": "x"}}
    status, answer, _ = shared.request("/v1/batch", body, BASIC)
    assert (status, answer) == (200, {"accepted": 3, "violations": [], "violation_count": 0})
    stored = [
        message
        for message in shared.stored("segment/events")
        if str(message["messageId"]).startswith("order-")
    ]
    assert [message["messageId"] for message in stored] == ["order-0", "order-1", "order-2"]
    assert {message["write_key_name"] for message in stored} == {"shop"}
    assert {message["sentAt"] for message in stored} == {"2026-11-01T10:00:05Z"}
    assert [message["context"] for message in stored] == [{"app": "x"}, {"app": "x"}, {"ip": "::1"}]
    assert stored[0]["timestamp"] == TRACK["timestamp"]
    assert stored[1]["timestamp"] == stored[1]["receivedAt"]
    assert KEY not in json.dumps(stored)


@pytest.mark.parametrize("kind", ["track", "page", "screen", "identify", "group", "alias"])
def test_single_messages_get_their_type_from_the_address(
    shared: RunningReceiver, kind: str
) -> None:
    body = {"messageId": f"single-{kind}", "userId": "u", "timestamp": "2026-11-01T10:00:00Z"}
    assert shared.request(f"/v1/{kind}", body, BASIC)[0] == 200
    found = {m["messageId"]: m["type"] for m in shared.stored("segment/events")}
    assert found[f"single-{kind}"] == kind


def test_plain_events_come_as_array_object_or_lines(shared: RunningReceiver) -> None:
    lines = b"\n".join(json.dumps(event(f"-line{number}")).encode() for number in range(3))
    assert shared.request("/v1/events", [event("-array")])[1]["accepted"] == 1
    assert shared.request("/v1/events", event("-object"))[1]["accepted"] == 1
    assert shared.request("/v1/events", lines + b"\r\n\n")[1]["accepted"] == 3
    assert shared.request("/v1/events", [])[1]["accepted"] == 0
    ids = [stored["event_id"] for stored in shared.stored()]
    assert [i for i in ids if "-" in str(i)] == [
        *("e-array", "e-object", "e-line0", "e-line1", "e-line2")
    ]


def test_violations_are_told_and_stored(shared: RunningReceiver) -> None:
    sent = [event("v0"), event("v1", name="nonsense"), event("v2", name="product_view")]
    status, answer, _ = shared.request("/v1/events", sent)
    assert status == 200
    assert answer == {
        "accepted": 3,
        "violations": [
            {"index": 1, "name": "nonsense", "reason": "name is not in the tracking plan"},
            {
                "index": 2,
                "name": "product_view",
                "reason": "required property product_id is missing",
            },
        ],
        "violation_count": 2,
    }
    assert {"ev0", "ev1", "ev2"} <= {stored["event_id"] for stored in shared.stored()}


def test_a_strict_receiver_refuses_the_whole_batch(tmp_path: Path) -> None:
    receiver = RunningReceiver(tmp_path / "home", "--strict")
    try:
        status, answer, _ = receiver.request("/v1/events", [event(1), event(2, name="nonsense")])
        assert status == 422 and answer["violations"] and receiver.stored() == []
        assert receiver.request("/v1/events", [event(1)])[0] == 200
        assert "strict" in receiver.banner
    finally:
        receiver.stop()


def test_closed_files_land_and_a_full_spool_takes_again_after_landing(tmp_path: Path) -> None:
    options = ("--spool-limit-mb", "0.02", "--close-seconds", "0.5")
    receiver = RunningReceiver(tmp_path / "home", *options)
    try:
        sent = 0
        while True:
            batch = [event(number) for number in range(sent, sent + 20)]
            status, answer, headers = receiver.request("/v1/events", batch)
            if status != 200:
                break
            sent += 20
        assert status == 429 and int(headers["retry-after"]) > 0
        assert "wait to be landed" in str(answer["error"])
        assert 0 < sent < 200
        assert receiver.request("/v1/events", batch[:1])[0] == 200, "a smaller one has room"
        _until(lambda: not receiver.unfinished())
        _land(receiver)
        _until(lambda: receiver.request("/v1/events", batch)[0] == 200)
        status, health, _ = receiver.request("/health", method="GET")
        assert status == 200 and health["ok"] is True
        assert 0 < int(str(health["spool_bytes"])) < 20_000
        _until(lambda: not receiver.unfinished())
        _land(receiver)
        ids = [row[0] for row in _landed(receiver, "event_id")]
        assert sorted(set(ids), key=ids.index) == [f"e{number}" for number in range(sent + 20)]
        names = {json.loads(str(row[0]))["write_key_name"] for row in _landed(receiver, "_extra")}
        assert names == {"shop"}
        assert new_files(receiver.inbox, receiver.home / "landing") == {}
    finally:
        receiver.stop()


def test_a_nearly_full_disk_is_back_pressure(tmp_path: Path) -> None:
    receiver = RunningReceiver(tmp_path / "home", "--min-free-mb", "1e12")
    try:
        status, answer, headers = receiver.request("/v1/events", event(1))
        assert status == 429 and "disk is nearly full" in str(answer["error"])
        assert "retry-after" in headers and receiver.stored() == []
        assert receiver.request("/health", method="GET")[1]["ok"] is False
    finally:
        receiver.stop()


def test_a_write_that_fails_is_told_and_leaves_only_whole_batches(tmp_path: Path) -> None:
    """The system refuses to let a file grow over 100 kB, as a full disk would."""

    receiver = RunningReceiver(tmp_path / "home")
    resource.prlimit(receiver.process.pid, resource.RLIMIT_FSIZE, (100_000, 100_000))
    try:
        good = []
        statuses = []
        for number in range(12):
            batch = [event(f"{number}-{index}", page_url="x" * 300) for index in range(50)]
            status, answer, _ = receiver.request("/v1/events", batch)
            statuses.append(status)
            if status == 200:
                good += [entry["event_id"] for entry in batch]
            else:
                assert status == 503 and "nothing was stored" in str(answer["error"])
        assert 503 in statuses and statuses.count(200) > 4
        assert [entry["event_id"] for entry in receiver.stored()] == good
    finally:
        assert receiver.stop() == 0
    assert receiver.unfinished() == []


def test_the_end_in_order_answers_what_was_begun_and_closes_the_files(tmp_path: Path) -> None:
    receiver = RunningReceiver(tmp_path / "home")
    body = json.dumps([event(number) for number in range(10)]).encode()
    connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=30)
    connection.putrequest("POST", "/v1/events")
    connection.putheader("X-Api-Key", KEY)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[:50])
    _until(lambda: receiver.request("/health", method="GET")[0] == 200)
    receiver.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    connection.send(body[50:])
    assert connection.getresponse().status == 200
    assert receiver.process.wait(30) == 0
    assert receiver.unfinished() == []
    assert len(receiver.stored()) == 10


def test_two_workers_share_the_load_and_end_with_their_supervisor(tmp_path: Path) -> None:
    receiver = RunningReceiver(tmp_path / "home", "--workers", "2", "--close-seconds", "60")
    try:
        assert "2 workers" in receiver.banner
        for number in range(60):
            assert receiver.request("/v1/events", [event(number)])[0] == 200
        _until(lambda: receiver.request("/v1/events", [event(0)])[0] == 200)
        children = _children(receiver.process.pid)
        writing = [child for child in children if _open_parts(child)]
        # One worker dies with an open file; the other, or its replacement, closes that file.
        left = {path for child in writing[:1] for path in _open_parts(child)}
        os.kill(writing[0], signal.SIGKILL)
        _until(lambda: not (left & set(receiver.unfinished())))
        _until(lambda: receiver.request("/v1/events", [event(60)])[0] == 200)
        children = _children(receiver.process.pid)
        receiver.process.kill()
        _until(lambda: not any(Path(f"/proc/{child}/cmdline").exists() for child in children))
    finally:
        receiver.stop()
    assert receiver.unfinished() == []
    assert {entry["event_id"] for entry in receiver.stored()} == {f"e{n}" for n in range(61)}


def _children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [
        int(child)
        for child in found
        if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def _open_parts(process: int) -> set[Path]:
    found = set()
    for link in Path(f"/proc/{process}/fd").iterdir():
        target = link.readlink()
        if target.name.endswith(".part"):
            found.add(target)
    return found


@pytest.mark.parametrize(
    ("keys", "options", "message"),
    [
        ("", [], "no keys: set MUSTER_RECEIVE_KEYS"),
        ("s3cret-without-a-name", [], "entry 1 is not name:key"),
        ("a:s3cret,b:s3cret", [], "has the key of another entry"),
        ("", ["--no-auth", "--host", "0.0.0.0"], "--no-auth is for this machine only"),
        ("a:s3cret", ["--host", "203.0.113.1"], "cannot listen on 203.0.113.1:0"),
    ],
)
def test_it_refuses_to_start_in_one_line(
    tmp_path: Path, keys: str, options: list[str], message: str
) -> None:
    environment = {**os.environ, "MUSTER_HOME": str(tmp_path), "MUSTER_RECEIVE_KEYS": keys}
    command = [sys.executable, "-m", "orchestration.cli", "receive", "--port", "0", *options]
    done = subprocess.run(
        command,
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert message in done.stderr and done.stderr.count("\n") == 1
    assert "s3cret" not in done.stderr + done.stdout


def test_a_machine_of_ones_own_needs_no_key_and_no_key_is_logged(tmp_path: Path) -> None:
    receiver = RunningReceiver(tmp_path / "home", "--no-auth", keys="")
    assert receiver.request("/v1/events", event(1), {})[0] == 200
    assert receiver.stop() == 0
    (stored,) = receiver.stored()
    assert "write_key_name" not in stored
    assert re.fullmatch(r"[\d-]+T[\d:.]+Z", str(stored["received_at"]))


def test_keys_appear_in_no_output(shared: RunningReceiver) -> None:
    assert KEY not in shared.banner + shared.log()
    assert "Traceback" not in shared.log()
