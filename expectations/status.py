"""What a stage's validation said of each table, in counts, for the build that publishes it.

One Parquet file a stage under `quality/expectations/`, replaced by rename: dbt reads them as a
source. Values of columns never come here, and no time but the run's as_of, so that a build of the
same world writes the same file.
"""

from collections.abc import Iterable
from pathlib import Path

import duckdb

from expectations.spec import Result

FOLDER = "expectations"


def record_status(
    results: Iterable[Result], stage: str, warehouse: Path, quality: Path, as_of: str
) -> Path:
    """Keep the counts of a stage; returns the file.

    Args:
        results: all of the stage, as `validate` returns them.
        stage: its name.
        warehouse: the DuckDB file, opened read-only to count the rows of the tables.
        quality: folder that keeps results between stages.
        as_of: the moment of the run, ISO 8601.
    """
    tables: dict[str, list[Result]] = {}
    for result in results:
        tables.setdefault(result.table, []).append(result)
    target = quality / FOLDER / f"{stage}.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(".new")
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        rows = [
            (stage, table, _rows(connection, table), len(found), *_broken(found))
            for table, found in sorted(tables.items())
        ]
    with duckdb.connect() as memory:
        memory.execute(
            """create table status (stage varchar, table_name varchar, row_count bigint,
            expectation_count bigint, failed_count bigint, warned_count bigint)"""
        )
        if rows:
            memory.executemany("insert into status values (?, ?, ?, ?, ?, ?)", rows)
        memory.execute("set timezone = 'UTC'")
        memory.execute(
            f"""copy (
                select *, cast(cast('{as_of}' as timestamptz) as timestamp) as as_of from status
            ) to '{temporary}' (format parquet)"""
        )
    temporary.replace(target)
    return target


def _broken(results: list[Result]) -> tuple[int, int]:
    broken = [result.severity for result in results if not result.passed]
    return broken.count("error"), broken.count("warn")


def _rows(connection: duckdb.DuckDBPyConnection, table: str) -> int | None:
    """None for a table that is missing, which its result says, too."""
    try:
        schema, name = table.split(".", 1)
        found = connection.execute(f'select count(*) from "{schema}"."{name}"').fetchone()
    except duckdb.CatalogException:
        return None
    return int(found[0]) if found else None
