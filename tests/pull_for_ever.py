"""Processes that pull or land again and again, to be killed by a test."""

import os
from multiprocessing.synchronize import Semaphore
from pathlib import Path
from typing import Any

# Imported before the fork, so that a child begins to work at once.
import adbc_driver_postgresql.dbapi
import dlt.destinations
import dlt.sources.sql_database
import duckdb
import pandas
import psycopg
import pyarrow
import pytest
import sqlalchemy.dialects.postgresql

import orchestration.connectors.sources.rest_http
import orchestration.connectors.sources.sql_loaders
from orchestration.connectors.pull import pull
from orchestration.connectors.registry import source_named
from orchestration.connectors.sources.file_drop import land_inbox
from orchestration.connectors.sources.sql import SqlSource

__all__ = [
    "adbc_driver_postgresql",
    "dlt",
    "duckdb",
    "land_for_ever",
    "orchestration",
    "pandas",
    "psycopg",
    "pull_for_ever",
    "pull_table_for_ever",
    "pyarrow",
    "pytest",
    "sqlalchemy",
]


def pull_for_ever(sources: str, token: str, landing: Path, state: Path) -> None:
    """Pull contacts and archived contacts of the source `hubspot`; never returns."""
    os.environ |= {"MUSTER_SOURCES": sources, "CRM_TOKEN": token}
    source = source_named("hubspot")
    while True:
        for part in source.parts()[:2]:
            pull(source, part, landing, state)


def pull_table_for_ever(
    definition: dict[str, Any], landing: Path, state: Path, done: Semaphore
) -> None:
    """Pull the first table of a database; `done` is released with each pull; never returns."""
    source = SqlSource(**definition)
    while True:
        pull(source, source.parts()[0], landing, state)
        done.release()


def land_for_ever(inbox: Path, landing: Path, state: Path, done: Semaphore) -> None:
    """Land what is dropped into `web`; `done` is released after each look; never returns."""
    while True:
        land_inbox(inbox, landing, state, "web")
        done.release()
