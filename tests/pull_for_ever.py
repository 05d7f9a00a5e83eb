"""A process that pulls HubSpot's contacts again and again, to be killed by a test."""

import os
from pathlib import Path

# Imported before the fork, so that a child begins to work at once.
import dlt.destinations
import duckdb
import pandas
import pyarrow
import pytest

import orchestration.connectors.sources.rest_http
from orchestration.connectors.pull import pull
from orchestration.connectors.registry import source_named

__all__ = ["dlt", "duckdb", "orchestration", "pandas", "pull_for_ever", "pyarrow", "pytest"]


def pull_for_ever(sources: str, token: str, landing: Path, state: Path) -> None:
    """Pull contacts and archived contacts of the source `hubspot`; never returns."""
    os.environ |= {"MUSTER_SOURCES": sources, "CRM_TOKEN": token}
    source = source_named("hubspot")
    while True:
        for part in source.parts()[:2]:
            pull(source, part, landing, state)
