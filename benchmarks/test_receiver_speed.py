"""The receiver: events per second in batches of 100; server on one core, client on the other.

Each answer comes after a sync to disk, and says how the tracking plan judges the events. Printed:
rate, latency, peak memory, and the same bytes written with one sync for each batch by a bare loop,
on the same disk in the same run.
"""

import asyncio
import json
import os
import statistics
import time
from pathlib import Path

import psutil
import pytest

from tests.receivers import BEARER, RunningReceiver, event

BATCH = 100
SECONDS = float(os.environ.get("MUSTER_BENCH_SECONDS", "10"))


def _plain(number: int) -> list[dict[str, object]]:
    return [
        event(
            f"{number}-{index}",
            anonymous_id=f"a-{index}",
            page_url="https://shop.example/category/shoes?page=2",
            device_type="mobile",
            country="DE",
            properties={"element": "promo_tile", "position": index},
        )
        for index in range(BATCH)
    ]


def _segment(number: int) -> dict[str, object]:
    messages = [
        {
            "type": "track",
            "event": "Product Viewed",
            "messageId": f"{number}-{index}",
            "anonymousId": f"a-{index}",
            "timestamp": "2026-11-01T10:00:00Z",
            "properties": {"product_id": f"p{index}", "price": 19.9},
            "context": {"page": {"url": "https://shop.example/category/shoes?page=2"}},
        }
        for index in range(BATCH)
    ]
    return {"batch": messages}


BODIES = {
    "/v1/events": [json.dumps(_plain(number)).encode() for number in range(20)],
    "/v1/batch": [json.dumps(_segment(number)).encode() for number in range(20)],
}
HEAD = (
    f"POST {{path}} HTTP/1.1\r\nHost: x\r\nAuthorization: {BEARER['Authorization']}\r\n"
    "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
)


async def _client(port: int, path: str, number: int, end: float, latencies: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.monotonic() < end:
        number += 1
        body = BODIES[path][number % 20]
        begun = time.perf_counter()
        writer.write(HEAD.format(path=path, length=len(body)).encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200"), answer
        length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        latencies.append(time.perf_counter() - begun)
    writer.close()


def _bare_rate(folder: Path, seconds: float) -> float:
    """Events per second of a loop that writes and syncs the same batches, one after the other."""
    begun, count = time.monotonic(), 0
    with (folder / "bare").open("wb", buffering=0) as stream:
        while time.monotonic() - begun < seconds:
            stream.write(BODIES["/v1/events"][count % 20])
            os.fdatasync(stream.fileno())
            count += 1
    return count * BATCH / (time.monotonic() - begun)


@pytest.mark.parametrize(
    ("path", "clients"),
    [("/v1/events", 1), ("/v1/events", 32), ("/v1/batch", 1), ("/v1/batch", 32)],
)
def test_received_events_per_second(  # type: ignore[no-untyped-def]
    tmp_path: Path, path: str, clients: int, benchmark
) -> None:
    cores = sorted(os.sched_getaffinity(0))
    receiver = RunningReceiver(tmp_path / "home", "--spool-limit-mb", "100000")
    receiver.request("/health", method="GET")  # answered when it has started
    latencies: list[float] = []

    async def load() -> None:
        end = time.monotonic() + SECONDS
        await asyncio.gather(
            *(_client(receiver.port, path, number, end, latencies) for number in range(clients))
        )

    try:
        for task in Path(f"/proc/{receiver.process.pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), {cores[-1]})
        os.sched_setaffinity(0, {cores[0]})
        server = psutil.Process(receiver.process.pid)
        before = sum(server.cpu_times()[:2])
        benchmark.pedantic(lambda: asyncio.run(load()), rounds=1)
        busy = (sum(server.cpu_times()[:2]) - before) / SECONDS
        peak = next(
            line
            for line in Path(f"/proc/{receiver.process.pid}/status").read_text().splitlines()
            if line.startswith("VmHWM")
        )
    finally:
        os.sched_setaffinity(0, cores)
        receiver.stop()
    folder = "web/events" if path == "/v1/events" else "segment/events"
    assert len(receiver.stored(folder)) == len(latencies) * BATCH
    rate = len(latencies) * BATCH / SECONDS
    cuts = statistics.quantiles(latencies, n=100)
    bare = _bare_rate(tmp_path, 2)
    benchmark.extra_info.update(events_per_second=rate, of_a_bare_loop=rate / bare)
    print(
        f"\n{path}, {clients} clients: {rate:,.0f} events/s, p50 {cuts[49] * 1e3:.1f} ms, "
        f"p99 {cuts[98] * 1e3:.1f} ms, server at {busy:.0%} of its core, "
        f"peak {int(peak.split()[1]) / 1024:.0f} MB; a bare synced loop {bare:,.0f} events/s"
    )
