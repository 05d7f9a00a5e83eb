"""Kill -9 at random moments, for tests of what must survive it."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from orchestration.resources.settings import PROJECT_ROOT


def seeded(name: str = "MUSTER_TEST_SEED") -> random.Random:
    """A random source whose seed is printed, and taken from the environment to repeat a run."""
    seed = int(os.environ.get(name, random.SystemRandom().randrange(10**6)))
    print(f"{name}={seed}")
    return random.Random(seed)


def muster(*arguments: str, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """A `muster` command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "orchestration.cli", *arguments],
        cwd=PROJECT_ROOT,
        env={**os.environ, **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def kill_when(process: subprocess.Popen[str], trace: Path, chance: random.Random) -> bool:
    """Kill a process some time after it began to write under `trace`; whether it still lived."""
    while process.poll() is None and not any(trace.glob("*")):
        time.sleep(0.01)
    time.sleep(chance.uniform(0, 0.6))
    was_alive = process.poll() is None
    if was_alive:
        process.send_signal(signal.SIGKILL)
    process.communicate()
    return was_alive
