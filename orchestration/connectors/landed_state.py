"""What landing already holds of one part: the newest record of each key.

It tells rows of a table that is read whole each time that have not changed, and keys that are gone
from the source. Sets are compared by DuckDB, and spill to disk when they are large.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.connectors.contract import entities
from orchestration.connectors.landing import live_files
from orchestration.connectors.sources.base import Part, SourceError

if TYPE_CHECKING:
    import pyarrow as pa

MASS_DELETE_SHARE = 0.5
MASS_DELETE_ROWS = 20  # up to this many keys any share may vanish, but not all


class LandedState:
    """The newest landed record of each key of one part, as hashes.

    Args:
        landing: the landing folder.
        source: the dataset.
        part: its keys and columns.
        origin: what stands in the part's `_source_file`.
        scratch: a folder for what does not fit in memory.
    """

    def __init__(self, landing: Path, source: str, part: Part, origin: str, scratch: Path) -> None:
        import duckdb

        self.part = part
        entity = entities()[part.entity]
        self.keys = ", ".join(f'"{name}"' for name in entity.key)
        self.columns = entity.columns
        scratch.mkdir(parents=True, exist_ok=True)
        self.connection: duckdb.DuckDBPyConnection = duckdb.connect(
            config={"memory_limit": "700MB", "threads": 2, "temp_directory": str(scratch)}
        )
        self.connection.execute("set timezone = 'UTC'; set enable_progress_bar = false")
        self._load(live_files(landing, source, part.entity), origin)
        for name in ("present", "arrived"):
            self.connection.execute(
                f"create table {name} as select {self.keys}, is_deleted from landed limit 0"
            )
        self.is_empty = self._count("select count(*) from landed") == 0

    def _load(self, files: list[str], origin: str) -> None:
        columns = ", ".join(f'null::varchar as "{name}"' for name in (*self.columns, "_extra"))
        nothing = f"""select {columns}, false as _deleted, null::varchar as _source_file,
            0::bigint as _row_number, null::timestamptz as _landed_at where false"""
        landed = "union all by name select * from read_parquet($files, union_by_name = true)"
        values = {"origin": origin, **({"files": files} if files else {})}
        self.connection.execute(
            f"""create table landed as
            select {self.keys},
                arg_max({self._hash()}, (_landed_at, _row_number)) as row_hash,
                arg_max(coalesce(_deleted, false), (_landed_at, _row_number)) as is_deleted
            from (select * from ({nothing}) {landed if files else ""})
            where _source_file = $origin
            group by {self.keys}""",
            values,
        )

    def _hash(self) -> str:
        names = ", ".join(f'"{name}"' for name in self.columns)
        return f"hash({names}, _extra, coalesce(_deleted, false))"

    def changed(self, rows: "pa.Table") -> "pa.Table":
        """Those of the mapped rows that are not in landing as they are now."""
        kept: pa.Table = self.connection.execute(
            f"""select rows.* from rows
            where not exists (
                select 1 from landed
                where ({self._same("landed", "rows")})
                    and landed.row_hash = {self._hash()}
            )"""
        ).to_arrow_table()
        if self.part.compare_keys and not self.is_empty:
            self.connection.execute(f"insert into arrived select {self.keys}, _deleted from kept")
        return kept

    def _same(self, left: str, right: str) -> str:
        names = entities()[self.part.entity].key
        return " and ".join(f'{left}."{name}" = {right}."{name}"' for name in names)

    def are_present(self, keys: "Iterator[pa.Table]") -> None:
        """Take note of keys that the source has; mapped rows: the key, and `_deleted`."""
        for rows in keys:  # noqa: B007  # DuckDB finds it by its name
            self.connection.execute(f"insert into present select {self.keys}, _deleted from rows")

    def gone_keys(self) -> "pa.Table":
        """Keys that are landed and not present or deleted there; one column for each of the key's.

        What arrived with this pull is left to the next: it was read before the keys were.

        Raises:
            SourceError: so many are gone that the source is more likely broken than empty.
        """
        gone: pa.Table = self.connection.execute(
            f"""select {self.keys} from landed where not is_deleted
            except select {self.keys} from present where not is_deleted
            except select {self.keys} from arrived order by all"""
        ).to_arrow_table()
        living = self._count("select count(*) from landed where not is_deleted")
        is_most = gone.num_rows > MASS_DELETE_ROWS and gone.num_rows > living * MASS_DELETE_SHARE
        is_all = gone.num_rows == living > 1
        if (is_most or is_all) and not self.part.allow_mass_delete:
            raise SourceError(
                f"{gone.num_rows:,} of {living:,} keys are gone from the source; nothing was "
                "landed. If that is true, set allow_mass_delete: true for one pull"
            )
        return gone

    def keys_back(self) -> int:
        """How many keys live at the source that landing holds as deleted, and did not arrive."""
        return self._count(
            f"""select count(*) from (
                select {self.keys} from landed where is_deleted
                intersect select {self.keys} from present where not is_deleted
                except select {self.keys} from arrived
            )"""
        )

    def _count(self, query: str) -> int:
        row = self.connection.execute(query).fetchone()
        return int(row[0]) if row else 0
