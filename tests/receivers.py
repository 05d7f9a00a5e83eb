"""A real receiver in a process of its own, and a client for it, for tests and benchmarks."""

import base64
import http.client
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from orchestration.connectors.receiver.spool import PART, PREFIX
from orchestration.resources.settings import PROJECT_ROOT

KEY = "a-key-of-the-tests-1"
SECOND_KEY = "a-key-of-the-tests-2"
BEARER = {"Authorization": f"Bearer {KEY}"}
BASIC = {"Authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}


def event(number: object, **more: object) -> dict[str, object]:
    """A good plain event with the id `e<number>`."""
    good = {"event_id": f"e{number}", "name": "page_view", "occurred_at": "2026-11-01T10:00:00Z"}
    return {**good, **more}


class RunningReceiver:
    """`muster receive` on a free port; `home` is its MUSTER_HOME."""

    def __init__(
        self,
        home: Path,
        *options: str,
        keys: str = f"shop:{KEY},app:{SECOND_KEY}",
    ) -> None:
        self.home, self.inbox = home, home / "inbox"
        environment = {**os.environ, "MUSTER_HOME": str(home), "MUSTER_RECEIVE_KEYS": keys}
        command = [sys.executable, "-m", "orchestration.cli", "receive", "--port", "0", *options]
        self.errors = (home.parent / f"{home.name}.log").open("ab+")
        self.process = subprocess.Popen(
            command,
            cwd=PROJECT_ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        assert self.process.stdout is not None
        self.banner = self.process.stdout.readline()
        found = re.search(r":(\d+) into", self.banner)
        assert found, self.banner + self.log()
        self.port = int(found[1])

    def log(self) -> str:
        self.errors.seek(0)
        return self.errors.read().decode()

    def request(
        self,
        path: str,
        body: bytes | object = b"",
        headers: dict[str, str] = BEARER,
        method: str = "POST",
    ) -> tuple[int, dict[str, object], dict[str, str]]:
        """Status, parsed answer and headers. A body that is not bytes is sent as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, path, raw, headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        is_json = response.headers.get_content_type() == "application/json"
        return response.status, json.loads(text) if is_json else {}, dict(response.headers)

    def stop(self) -> int:
        """End in order; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self) -> None:
        """SIGKILL for it and its workers, as when a machine fails."""
        for worker in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                worker.kill()
        self.process.kill()
        self.process.wait(60)

    def stored(self, folder: str = "web/events") -> list[dict[str, object]]:
        """The events of all files, closed or not, in the order of their names."""
        return [
            json.loads(line)
            for path in sorted((self.inbox / folder).glob(f"{PREFIX}*"))
            for line in path.read_bytes().splitlines()
        ]

    def unfinished(self) -> list[Path]:
        return sorted(self.inbox.rglob(f"*{PART}"))
