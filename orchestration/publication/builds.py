"""Whose tables stand in the warehouse: every dbt command leaves a row in `main.dbt_builds`.

A snapshot must be of one build. Whoever else ran dbt on the warehouse meanwhile, an analyst or a
second machine, would put tables of another moment into it.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb


@dataclass(frozen=True)
class BuildRecord:
    """A build's moment in UTC (`2026-11-01T00:00:00Z`) and its loads of landing (`source/id`)."""

    as_of: str
    loads: tuple[str, ...]


class ForeignBuildError(RuntimeError):
    """Somebody else ran dbt on the warehouse while this build worked."""


def recorded_build(warehouse: Path, build_id: str) -> BuildRecord:
    """What the tables in the warehouse were made of.

    Args:
        warehouse: the DuckDB file.
        build_id: the build that wants to publish; one that ran no dbt publishes what is there.

    Raises:
        ForeignBuildError: another build wrote since this one began.
    """
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        rows = connection.execute(
            """select build_id, strftime(as_of, '%Y-%m-%dT%H:%M:%SZ'), loads
            from main.dbt_builds order by number"""
        ).fetchall()
    ids = [row[0] for row in rows]
    begin = len(ids) - 1
    if build_id in ids:
        # Staging read landing in the first step; what landed since is not in the tables.
        begin = ids.index(build_id)
        others = [row for row in rows[begin:] if row[0] != build_id]
        if others:
            raise ForeignBuildError(
                f"dbt was run on the warehouse by somebody else during this build (as of "
                f"{others[0][1]}), so its tables are of two moments; nothing is published. Run "
                "the job again"
            )
    return BuildRecord(rows[begin][1], tuple(rows[begin][2]))


def require_own(warehouse: Path, build_id: str) -> None:
    """Refuse to go on with tables of another build: these are of another moment, and which of its
    segments failed is not known any more.

    Raises:
        ForeignBuildError: whoever ran dbt last was not this build.
    """
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        row = connection.execute(
            """select max_by(build_id, number), max_by(as_of, number)::varchar
            from main.dbt_builds"""
        ).fetchone()
    if row and row[0] != build_id:
        raise ForeignBuildError(
            f"the segments in the warehouse are of another run (as of {row[1]}), and are published "
            "only with the run that built them: start full_build, or take the assets of segments "
            "into this run"
        )
