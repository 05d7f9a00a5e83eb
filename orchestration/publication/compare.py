"""What changed between two snapshots: rows by their keys, and which columns.

`as_of` is left out, as it changes in every row of each build.
"""

from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from orchestration.publication.manifest import Manifest, read_manifest, table_file

_LEFT_OUT = "as_of"


@dataclass(frozen=True)
class Change:
    """One value that is another: the row's key, the column, before and after."""

    key: str
    column: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Difference:
    """One table of both snapshots.

    Attributes:
        table: its name.
        added, removed, changed: rows; where no key is known a changed one is removed and added.
        columns: rows in which a column changed, of those in which it did.
        schema: what became of the table or of its columns, in words; empty if nothing.
        sample: a few changes, none of a private table.
    """

    table: str
    added: int = 0
    removed: int = 0
    changed: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    schema: tuple[str, ...] = ()
    sample: tuple[Change, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed at all."""
        return not (self.added or self.removed or self.changed or self.schema)


def compare(published: Path, before: str, after: str, samples: int = 3) -> list[Difference]:
    """The tables of two snapshots, sorted by name.

    Args:
        published: the folder of snapshots.
        before: id of the one that counts as older.
        after: id of the other.
        samples: how many changes to show of each table.

    Raises:
        SnapshotError: there is no such snapshot, or a file of it is missing or damaged.
    """
    manifests = read_manifest(published, before), read_manifest(published, after)
    names = sorted({*manifests[0].tables, *manifests[1].tables})
    return [_table(published, manifests, name, samples) for name in names]


def _table(
    published: Path, manifests: tuple[Manifest, Manifest], name: str, samples: int
) -> Difference:
    old, new = (manifest.tables.get(name) for manifest in manifests)
    if old is None or new is None:
        words = "the table is new" if old is None else "the table is gone"
        return Difference(name, new.rows if new else 0, old.rows if old else 0, schema=(words,))
    if old.sha256 == new.sha256:
        return Difference(name)
    with duckdb.connect() as connection:
        for side, manifest in zip(("old", "new"), manifests, strict=True):
            file = table_file(published, manifest, name)
            connection.execute(f"create view {side} as select * from read_parquet('{file}')")
        types = [_types(connection, side) for side in ("old", "new")]
        schema = tuple(_schema(*types))
        if not schema and old.content and old.content == new.content:
            return Difference(name)
        both = [
            column
            for column in types[1]
            if types[0].get(column) == types[1][column] and column != _LEFT_OUT
        ]
        key = [column for column in new.key if column in both]
        if key != new.key or not key:
            added, removed = (
                _count(connection, _without_key(both, *sides))
                for sides in (("new", "old"), ("old", "new"))
            )
            return Difference(name, added, removed, schema=schema)
        difference = _by_key(connection, key, [one for one in both if one not in key])
        sample = () if new.is_private else _sample(connection, key, difference, samples)
        return Difference(name, *difference, schema, sample)


def _types(connection: duckdb.DuckDBPyConnection, side: str) -> dict[str, str]:
    return {row[0]: row[1] for row in connection.execute(f"describe {side}").fetchall()}


def _schema(old: dict[str, str], new: dict[str, str]) -> list[str]:
    words = [f"{one} is new" for one in new if one not in old]
    words += [f"{one} is gone" for one in old if one not in new]
    both = [one for one in new if one in old and old[one] != new[one]]
    return words + [f"{one} was {old[one]} and is {new[one]}" for one in both]


def _without_key(columns: list[str], side: str, other: str) -> str:
    names = ", ".join(columns)
    return (
        f"select count(*) from (select {names} from {side} except all select {names} from {other})"
    )


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])


def _same(key: list[str]) -> str:
    return " and ".join(f"old.{one} is not distinct from new.{one}" for one in key)


def _by_key(
    connection: duckdb.DuckDBPyConnection, key: list[str], columns: list[str]
) -> tuple[int, int, int, dict[str, int]]:
    added = _count(connection, f"select count(*) from new anti join old on {_same(key)}")
    removed = _count(connection, f"select count(*) from old anti join new on {_same(key)}")
    if not columns:
        return added, removed, 0, {}
    differ = {one: f"old.{one} is distinct from new.{one}" for one in columns}
    counts = ", ".join(f"count(*) filter ({test})" for test in differ.values())
    changed, *each = connection.execute(
        f"select count(*) filter ({' or '.join(differ.values())}), {counts} "
        f"from old inner join new on {_same(key)}"
    ).fetchall()[0]
    return (
        added,
        removed,
        changed,
        {column: count for column, count in zip(columns, each, strict=True) if count},
    )


def _sample(
    connection: duckdb.DuckDBPyConnection,
    key: list[str],
    difference: tuple[int, int, int, dict[str, int]],
    samples: int,
) -> tuple[Change, ...]:
    """The first changes by key, of those columns first that change most rarely."""
    columns = sorted(difference[3], key=lambda one: difference[3][one])[:samples]
    if not columns:
        return ()
    shown_key = " || ', ' || ".join(f"coalesce(new.{one}::varchar, 'null')" for one in key)
    parts = [
        f"""select * from (select {shown_key} as key, '{one}' as column_name,
            old.{one}::varchar as before, new.{one}::varchar as after
            from old inner join new on {_same(key)}
            where old.{one} is distinct from new.{one}
            order by {", ".join(f"new.{part}" for part in key)} limit {samples})"""
        for one in columns
    ]
    rows = connection.execute(f"{' union all '.join(parts)} limit {samples}").fetchall()
    return tuple(Change(*row) for row in rows)
