"""Where Muster keeps its state, and the environment that every tool it starts must see.

Only places and switches; thresholds belong to `dbt_project/parameters.yml`.
"""

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[2]
DBT_PROJECT = PROJECT_ROOT / "dbt_project"
PUBLISHED_MODELS = DBT_PROJECT / "models" / "published"

# Nothing reports home unless a user switches it on again.
_NO_TELEMETRY = {
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DO_NOT_TRACK": "1",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "DAGSTER_DISABLE_TELEMETRY": "true",
    "GX_ANALYTICS_ENABLED": "false",
}


def shown(path: Path) -> str:
    """A file as people name it: below the project's folder, where it is there."""
    return str(path.relative_to(PROJECT_ROOT) if path.is_relative_to(PROJECT_ROOT) else path)


@dataclass(frozen=True)
class Settings:
    """The folders and files under one `MUSTER_HOME`."""

    home: Path

    @property
    def inbox(self) -> Path:
        """Files dropped for loading: `<source>/<entity>/<file>`."""
        return self.home / "inbox"

    @property
    def landing(self) -> Path:
        """Append-only Parquet, as delivered."""
        return self.home / "landing"

    @property
    def ledger(self) -> Path:
        """Append-only Parquet: what was sent and acknowledged."""
        return self.home / "ledger"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file; a cache that can be deleted."""
        return self.home / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """Snapshots for readers."""
        return self.home / "published"

    @property
    def feeds(self) -> Path:
        """What the file destination was sent."""
        return self.home / "feeds"

    @property
    def models(self) -> Path:
        """Trained models, a folder each, and the scores of builds."""
        return self.home / "models"

    @property
    def quality(self) -> Path:
        """Great Expectations' results and Data Docs."""
        return self.home / "quality"

    @property
    def dagster(self) -> Path:
        """Dagster's own state."""
        return self.home / "dagster"

    @property
    def dlt(self) -> Path:
        """dlt's working folder."""
        return self.working / "dlt"

    @property
    def working(self) -> Path:
        """Scratch files of dlt and dbt; may be deleted when nothing runs."""
        return self.home / "tmp"


def load_settings() -> Settings:
    """Settings from `MUSTER_HOME` (default `var/` of the project), exported to child tools."""
    home = Path(os.environ.get("MUSTER_HOME") or PROJECT_ROOT / "var").resolve()
    os.environ["MUSTER_HOME"] = str(home)
    for name, value in _NO_TELEMETRY.items():
        os.environ.setdefault(name, value)
    home.mkdir(parents=True, exist_ok=True)
    settings = Settings(home)
    settings.working.mkdir(exist_ok=True)
    settings.inbox.mkdir(exist_ok=True)
    return settings
