"""Files of bounded size: CSV for the shop and the CRM, Parquet for the truth, all reproducible."""

from __future__ import annotations

import tempfile
import zlib
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from seeds.simulator.settings import MAX_ROWS_PER_FILE


def write_csv(table: pa.Table, folder: Path, stem: str, compress: bool = True) -> int:
    """Write files `<stem>[-<part>].csv[.gz]` of bounded size; returns the rows."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, start in enumerate(range(0, max(table.num_rows, 1), MAX_ROWS_PER_FILE)):
        mark = f"-{part + 1:04d}" if table.num_rows > MAX_ROWS_PER_FILE else ""
        content = _csv(table.slice(start, MAX_ROWS_PER_FILE))
        if compress:
            packer = zlib.compressobj(6, zlib.DEFLATED, 31)  # 31: gzip, whose header has no time
            content = packer.compress(content) + packer.flush()
        (folder / f"{stem}{mark}.csv{'.gz' if compress else ''}").write_bytes(content)
    return int(table.num_rows)


def write_csv_by_month(table: pa.Table, moment: str, folder: Path, stem: str) -> int:
    """Write one set of files per month of the column `moment`, rows in the order of the table."""
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.register("rows", table)
        found = connection.execute(
            f"select distinct left({moment}, 7) from rows where {moment} is not null order by 1"
        ).fetchall()
        for (month,) in found:
            part = connection.execute(
                f"select * from rows where left({moment}, 7) = ?", [month]
            ).to_arrow_table()
            write_csv(part, folder, f"{stem}-{month}")
    return int(table.num_rows)


def write_truth(table: pa.Table, folder: Path, name: str) -> None:
    """Write one Parquet file."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        table,
        folder / f"{name}.parquet",
        compression="zstd",
        compression_level=12,
        use_dictionary=False,
    )


def _csv(table: pa.Table) -> bytes:
    """The table as CSV with a header; quotes only where they are needed, nulls empty."""
    with (
        tempfile.TemporaryDirectory() as folder,
        duckdb.connect(":memory:", config={"threads": 1}) as connection,
    ):
        path = Path(folder) / "rows.csv"
        connection.register("rows", table)
        connection.execute(f"copy (from rows) to '{path}' (format csv, header true)")
        return path.read_bytes()
