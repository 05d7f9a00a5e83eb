"""The file destination: each emission as JSON Lines and as Parquet, put in place by rename.

An emission that is delivered twice writes the same files again.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def deliver(folder: Path, emission_id: str, rows: "pa.Table") -> list[Path]:
    """Write one emission's rows, in sequence order, and return the two files."""
    import duckdb

    folder.mkdir(parents=True, exist_ok=True)
    delivered = []
    with duckdb.connect() as connection:
        connection.register("emission", rows)
        for suffix, form in (("jsonl", "json"), ("parquet", "parquet")):
            path = folder / f"{emission_id}.{suffix}"
            temporary = folder / f".{emission_id}.{suffix}.new"
            connection.execute(
                f"copy (select * from emission order by sequence) to '{temporary}' (format {form})"
            )
            temporary.rename(path)
            delivered.append(path)
    return delivered
