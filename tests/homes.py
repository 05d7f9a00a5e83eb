"""A `MUSTER_HOME` of their own for tests that run the job."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestration.publication.snapshot import Manifest

SAMPLE_END = "2026-11-01T00:00:00Z"

_NAMES = ("MUSTER_HOME", "DAGSTER_HOME", "MUSTER_PROJECT_SECRET")


@contextmanager
def muster_home(folder: Path) -> Iterator[Path]:
    """Point Muster at `folder`, with a fixed project secret, and back again afterwards."""
    before = {name: os.environ.get(name) for name in _NAMES}
    os.environ["MUSTER_HOME"] = str(folder)
    os.environ["MUSTER_PROJECT_SECRET"] = "a secret of the tests"
    try:
        yield folder
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def know_project(home: Path, other: Path) -> None:
    """Have a home know of the project what another home does: it was read, unit tests passed.

    Reading it takes ten seconds, and unit tests of dbt nearly as long as all else of a build.
    """
    shutil.copytree(
        other / "tmp" / "dbt",
        home / "tmp" / "dbt",
        ignore=shutil.ignore_patterns("run", "compiled", "*.log"),
        dirs_exist_ok=True,
    )


def checksums(manifest: Manifest | None) -> dict[str, str]:
    """Those of a snapshot's tables."""
    assert manifest is not None
    return {name: table.content for name, table in manifest.tables.items()}
