"""Puts the newest snapshot into a schema of a PostgreSQL database, in one transaction.

Rows are deleted and inserted, tables kept: so readers need no lock and, as PostgreSQL keeps the
old rows for who still sees them, no statement sees two snapshots. Renaming schemas would hold
readers up while the old tables are dropped, and could show two snapshots to a statement that is
being planned.
"""

import tempfile
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from psycopg import sql

from orchestration.publication.manifest import Manifest, newest_or_fail, table_file
from orchestration.publication.verify import check_tables

_NULL = "\\N"
_BLOCK = 1 << 20
_TYPES = {
    "VARCHAR": "text",
    "BIGINT": "bigint",
    "INTEGER": "integer",
    "DOUBLE": "double precision",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
}
_LOCK = 0x4D757374  # of two syncs to one database the second waits
Columns = dict[str, str]  # PostgreSQL's types by name


class SyncError(RuntimeError):
    """The database refused; it still holds what it held before."""


def sync(
    published: Path, url: str, schema: str = "muster", with_contact_data: bool = False
) -> Manifest:
    """Make a schema hold the newest snapshot, and nothing else.

    Args:
        published: the folder of snapshots.
        url: such as `postgresql://user@host/database`.
        schema: made if it is not there; its tables belong to Muster.
        with_contact_data: private tables, too.

    Raises:
        FileNotFoundError: nothing has been published yet.
        SnapshotError: a file of the snapshot is missing or damaged.
        SyncError: PostgreSQL cannot be reached, or refuses; or the schema is somebody else's.
    """
    if not url.startswith(("postgresql://", "postgres://")):
        raise SyncError("the address must be one such as postgresql://user@host/database")
    manifest = newest_or_fail(published)
    tables = manifest.open_tables(with_contact_data)
    check_tables(published, manifest, tables)
    try:
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
            cursor.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
            _check_ours(cursor, schema)
            _drop_others(cursor, schema, {*tables, "snapshot"})
            for name in tables:
                _fill(cursor, schema, name, table_file(published, manifest, name))
            _note(cursor, schema, manifest)
    except psycopg.Error as error:
        # Its message may quote the address, and with it a password.
        words = str(error).strip().splitlines()
        why = words[0] if words else type(error).__name__
        raise SyncError(
            f"snapshot {manifest.snapshot_id} was not synced: PostgreSQL says: {why}. The database "
            "holds what it held before; check the address, PGPASSWORD, and the user's rights"
        ) from None
    return manifest


def _check_ours(cursor: psycopg.Cursor[Any], schema: str) -> None:
    """A schema that holds tables, and no snapshot of ours among them, is somebody else's."""
    cursor.execute("select tablename from pg_tables where schemaname = %s order by 1", [schema])
    names = [name for (name,) in cursor.fetchall()]
    if names and "snapshot" not in names:
        raise SyncError(
            f"schema {schema} holds tables that are not Muster's ({', '.join(names[:3])}); nothing "
            "was changed. Name a schema of its own with --schema: other tables in it are dropped"
        )


def _drop_others(cursor: psycopg.Cursor[Any], schema: str, keep: set[str]) -> None:
    cursor.execute("select tablename from pg_tables where schemaname = %s", [schema])
    for (name,) in cursor.fetchall():
        if name not in keep:
            cursor.execute(sql.SQL("drop table {} cascade").format(sql.Identifier(schema, name)))


def _prepare(cursor: psycopg.Cursor[Any], schema: str, name: str, columns: Columns) -> None:
    """An empty table of these columns; what is there is kept if it has them."""
    cursor.execute(
        """select a.attname, format_type(a.atttypid, a.atttypmod) from pg_attribute a
        where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped
        order by a.attnum""",
        [f'"{schema}"."{name}"'],
    )
    table = sql.Identifier(schema, name)
    if dict(cursor.fetchall()) == columns:
        cursor.execute(sql.SQL("delete from {}").format(table))
        return
    cursor.execute(sql.SQL("drop table if exists {} cascade").format(table))
    described = [
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(type_name))
        for column, type_name in columns.items()
    ]
    cursor.execute(sql.SQL("create table {} ({})").format(table, sql.SQL(", ").join(described)))


def _fill(cursor: psycopg.Cursor[Any], schema: str, name: str, file: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as memory:
        source = f"read_parquet('{file}')"
        found = memory.execute(f"describe select * from {source}").fetchall()
        types = {row[0]: str(row[1]) for row in found}
        _prepare(cursor, schema, name, {one: _type(kind) for one, kind in types.items()})
        values = ", ".join(
            f'"{one}"' if _is_plain(kind) else f'to_json("{one}") as "{one}"'
            for one, kind in types.items()
        )
        text = Path(folder) / "rows.csv"
        memory.execute(
            f"copy (select {values} from {source}) to '{text}' "
            f"(format csv, header false, nullstr '{_NULL}', force_quote *)"
        )
        command = sql.SQL("copy {} from stdin (format csv, null {})").format(
            sql.Identifier(schema, name), sql.Literal(_NULL)
        )
        with text.open("rb") as rows, cursor.copy(command) as copy:
            while block := rows.read(_BLOCK):
                copy.write(block)


def _is_plain(kind: str) -> bool:
    return kind in _TYPES or (kind.startswith("DECIMAL") and not kind.endswith("]"))


def _type(kind: str) -> str:
    """PostgreSQL's name of a type, as it says it itself; lists and structs become JSON."""
    if kind.startswith("DECIMAL") and not kind.endswith("]"):
        return kind.replace("DECIMAL", "numeric").replace(" ", "")
    return _TYPES.get(kind, "jsonb")


def _note(cursor: psycopg.Cursor[Any], schema: str, manifest: Manifest) -> None:
    columns = {"snapshot_id": "text", "as_of": "timestamp without time zone"}
    _prepare(cursor, schema, "snapshot", columns)
    cursor.execute(
        sql.SQL("insert into {} values (%s, %s)").format(sql.Identifier(schema, "snapshot")),
        [manifest.snapshot_id, manifest.as_of.removesuffix("Z")],
    )
