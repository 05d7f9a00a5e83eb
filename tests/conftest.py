"""Fixtures that are expensive and shared: one warehouse built from the sample, for all tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.resources.settings import PROJECT_ROOT, Settings
from tests.homes import SAMPLE_END, muster_home


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A MUSTER_HOME after one full build of the sample. Do not change it; see `sample_copy`."""
    from orchestration.automation.run import run_full_build
    from orchestration.resources.settings import load_settings

    with muster_home(tmp_path_factory.mktemp("sample")):
        settings = load_settings()
        shutil.copytree(PROJECT_ROOT / "seeds" / "sample", settings.inbox, dirs_exist_ok=True)
        outcome = run_full_build(settings, SAMPLE_END, full_refresh=False)
        assert outcome.success, outcome.failed
        return settings


@pytest.fixture
def sample_copy(sample_home: Settings, tmp_path: Path) -> Iterator[Settings]:
    """A copy of the built sample that a test may change; it is the MUSTER_HOME of the test."""
    home = tmp_path / "home"
    shutil.copytree(sample_home.home, home)
    with muster_home(home):
        yield Settings(home)
