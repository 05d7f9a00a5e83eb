"""Random moments that can be repeated, and `muster` as a process, for tests of faults."""

import os
import random
import subprocess
import sys
from collections.abc import Mapping

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
