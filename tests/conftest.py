"""What is expensive and shared: one warehouse built from the sample, for all tests and workers.

`make test` runs modules on two workers. A module stays on one of them, with what it has made;
those that make whole builds begin first, so that none of them is left to the end.
"""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestration.connectors.locks import exclusive
from orchestration.resources.settings import PROJECT_ROOT, Settings
from tests.homes import SAMPLE_END, know_project, muster_home


def _builds(item: pytest.Item) -> int:
    marker = item.get_closest_marker("builds")
    return int(marker.args[0]) if marker else 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The dearest first, for workers; one process alone keeps the order of files."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=_builds, reverse=True)


def pytest_unconfigure() -> None:
    """Leave a worker's memory to the system.

    pytest would collect it five times over, and xdist interrupts a worker that is not gone in 5 s.
    """
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _home_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What sets no MUSTER_HOME finds one of its worker's, never that of the user."""
    with muster_home(tmp_path_factory.mktemp("nobodys")):
        yield


def _shared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first worker that needs it makes, for all."""
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # of all workers
    shared, made = folder / name, folder / f"{name}.made"
    with exclusive(folder / f"{name}.lock", f"test process {os.getpid()}"):
        if not made.exists():
            make(shared)
            made.touch()
    return shared


@pytest.fixture(scope="session")
def read_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A MUSTER_HOME that holds the project as dbt read it, and nothing else; see `know_project`."""

    def read(home: Path) -> None:
        from orchestration.resources.dbt import manifest

        with muster_home(home):
            manifest()

    return _shared(tmp_path_factory, "shared_project", read)


def _build_sample(home: Path, read_home: Path) -> None:
    from orchestration.automation.run import run_full_build
    from orchestration.resources.settings import load_settings

    with muster_home(home):
        settings = load_settings()
        know_project(home, read_home)
        shutil.copytree(PROJECT_ROOT / "seeds" / "sample", settings.inbox, dirs_exist_ok=True)
        outcome = run_full_build(settings, SAMPLE_END, full_refresh=False)
        assert outcome.success, outcome.failed


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory: pytest.TempPathFactory, read_home: Path) -> Settings:
    """A MUSTER_HOME after one full build of the sample. Do not change it; see `sample_copy`.

    Each worker reads a copy of its own, as DuckDB lets no two processes share a file that one of
    them writes, if only for a moment.
    """
    shared = _shared(tmp_path_factory, "shared_sample", lambda home: _build_sample(home, read_home))
    home = tmp_path_factory.mktemp("sample") / "home"
    shutil.copytree(shared, home)
    return Settings(home)


@pytest.fixture
def sample_copy(sample_home: Settings, tmp_path: Path) -> Iterator[Settings]:
    """A copy of the built sample that a test may change; it is the MUSTER_HOME of the test."""
    home = tmp_path / "home"
    shutil.copytree(sample_home.home, home)
    with muster_home(home):
        yield Settings(home)
