"""A real MariaDB, where one is installed: its types, its cursors, and what it says of faults."""

import gc
import json
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.connectors.landing import live_files
from orchestration.connectors.pull import PullReport, pull
from orchestration.connectors.sources.base import Cursor, SourceError
from orchestration.connectors.sources.sql import SqlSource
from tests.mariadb import Server, mariadb, mariadb_programs

pytestmark = pytest.mark.skipif(
    mariadb_programs() is None,
    reason="needs the programs mariadbd and mariadb-install-db (Debian: mariadb-server)",
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with mariadb() as running:
        # Its clock shows another time than UTC, which no value may take from it.
        running.run("set global time_zone = '+09:00'")
        yield running


class Shop:
    """One table of its own for each test, and a landing folder."""

    def __init__(self, server: Server, folder: Path, table: str) -> None:
        self.server, self.folder, self.table = server, folder, table
        self.url = f"mariadb://root@127.0.0.1:{server.port}/shop"
        self.options: dict[str, Any] = {"cursor": "updated_at"}
        self.mapping: dict[str, Any] = {"columns": {"order_id": '"id"', "total": '"total"'}}

    @property
    def source(self) -> SqlSource:
        entry = {"table": self.table, "entity": "shop_orders", **self.options}
        return SqlSource(
            name="erp", type="sql", url=self.url, tables=[{**entry, "mapping": self.mapping}]
        )

    def run(self, *statements: str) -> None:
        self.server.run(*(text.replace("{table}", self.table) for text in statements))

    def pull(self) -> PullReport:
        return pull(
            self.source, self.source.parts()[0], self.folder / "landing", self.folder / "state"
        )

    def refused(self) -> str:
        """What a check and a pull say, which is the same line."""
        (told,) = self.source.problems()
        with pytest.raises(SourceError) as caught:
            self.pull()
        assert str(caught.value) == told
        assert "\n" not in told
        assert "hunter2" not in told
        return told

    def landed(self, columns: str) -> list[tuple[Any, ...]]:
        files = live_files(self.folder / "landing", "erp", "shop_orders")
        query = f"select {columns} from read_parquet(?) order by _load_id, _row_number"
        return duckdb.execute(query, [files]).fetchall()


@pytest.fixture
def shop(server: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Shop:
    return Shop(server, tmp_path, f"t{abs(hash(request.node.name))}")


# Columns of each type, with a value as SQL, and as it lands.
VALUES = [
    ("id", "bigint unsigned", "18446744073709551615", "18446744073709551615"),
    ("total", "decimal(38, 18)", *("12345678901234567890.123456789012345678",) * 2),
    ("updated_at", "timestamp(6)", "'2026-01-01 12:00:00.123456'", "2026-01-01 03:00:00.123456"),
    ("a", "datetime(6)", "'2026-01-01 12:00:00.123456'", "2026-01-01 12:00:00.123456"),
    ("b", "datetime", "'0000-00-00'", "0000-00-00 00:00:00"),
    ("c", "date", "'2026-02-28'", "2026-02-28"),
    ("d", "time(3)", "'-838:59:59.5'", "-838:59:59.500"),
    ("e", "year", "2026", "2026"),
    ("f", "tinyint(1)", "true", "1"),
    ("g", "bit(10)", "b'1111111111'", "1023"),
    ("h", "bit(1)", "b'1'", "1"),
    ("i", "blob", "x'00ff27'", "00FF27"),
    ("j", "binary(4)", "'ab'", "61620000"),
    ("k", "json", """'{"x": 1.50, "ü": "😀"}'""", '{"x": 1.50, "ü": "😀"}'),
    ("l", "text character set utf8mb4", r"""'😀 "''%:\\ \n'""", "😀 \"'%:\\ \n"),
    ("m", "text character set latin1", "'ü€'", "ü€"),
    ("n", "varchar(9) collate utf8mb4_bin", "'Ab '", "Ab "),
    ("o", "enum('x', 'ü')", "'ü'", "ü"),
    ("p", "set('x', 'y')", "'y,x'", "x,y"),
    ("q", "double", "0.1", "0.1"),
    ("r", "inet6", "'::1'", "::1"),
    ('100% "it\'s" a:b', "int", "1", "1"),
]


def test_values_land_as_the_database_writes_them(shop: Shop) -> None:
    columns = ", ".join(f"`{name}` {kind} null" for name, kind, _, _ in VALUES)
    values = ", ".join(value for _, _, value, _ in VALUES)
    nulls = ", ".join("2" if name == "id" else "null" for name, _, _, _ in VALUES)
    shop.run(
        f"create table {{table}} ({columns})",
        f"set sql_mode = ''; insert into {{table}} values ({values}), ({nulls})",
    )
    assert shop.source.problems() == []
    assert shop.pull().rows == 2
    full, empty = shop.landed("order_id, total, _extra")
    assert {"id": full[0], "total": full[1], **json.loads(full[2])} == {
        name: text for name, _, _, text in VALUES
    }
    assert empty == ("2", None, None)
    assert shop.pull().load_id is None


def test_a_point_is_no_text_but_the_other_columns_are_read(shop: Shop) -> None:
    shop.run(
        "create table {table} (id int, total int, updated_at datetime, place point)",
        "insert into {table} values (1, 2, now(), point(1, 2))",
    )
    assert "cannot be written as text; list the others in `columns`" in shop.refused()
    shop.options["columns"] = ["id"]
    assert shop.pull().rows == 1


def test_only_what_is_new_or_changed_lands(shop: Shop) -> None:
    shop.run(
        "create table {table} (id int, total int, updated_at timestamp(6))",
        "insert into {table} values (1, 1, '2026-01-01 12:00:00.5'), (2, 1, null)",
    )
    assert shop.pull().rows == 2
    assert shop.pull().load_id is None
    shop.run(
        "insert into {table} values (3, 1, '2026-01-01 11:55'), (4, 1, '2026-01-01 11:00')",
        "update {table} set total = 2 where id = 2",
        "insert into {table} values (5, 1, '2036-01-01')",
    )
    report = shop.pull()
    assert report.rows == 3
    assert report.position == {"value": "2026-01-01 03:00:00.500000"}
    assert "more than a day in the future: 1" in report.notes[0]
    assert shop.pull().load_id is None
    assert sorted(row[0] for row in shop.landed("order_id")) == ["1", "2", "2", "3", "5"]


@pytest.mark.parametrize(
    ("kind", "overlap", "values"),
    [
        ("int unsigned", 10, ("3", "4")),  # the overlap begins below 0
        ("bigint unsigned", 0, ("18446744073709551613", "18446744073709551614")),
        ("decimal(12, 2)", 0, ("9.50", "10.25")),
        ("date", 0, ("'2026-01-01'", "'2026-01-02'")),
        ("datetime(6)", 0, ("'2026-01-01 00:00:00.9'", "'2026-01-01 00:00:00.95'")),
        ("timestamp(6)", 0, ("'2026-01-01 00:00:00.9'", "'2026-01-01 00:00:00.95'")),
        ("varchar(9)", 0, ("'a'", "'b'")),
    ],
)
def test_every_kind_of_cursor(shop: Shop, kind: str, overlap: int, values: tuple[str, ...]) -> None:
    shop.options |= {"overlap": overlap, "overlap_minutes": overlap}
    shop.run(f"create table {{table}} (id int, total int, updated_at {kind})")
    cursor = None
    # The last one commits late, at the highest value.
    for number, value in enumerate([*values, values[-1]]):
        shop.run(f"insert into {{table}} values ({number}, 1, {value})")
        new, cursor = _read(shop, cursor)
        assert new == [str(number)]
    assert _read(shop, cursor) == ([], cursor)


def _read(shop: Shop, cursor: Cursor | None) -> tuple[list[str], Cursor | None]:
    """Ids of new rows, and the next cursor."""
    batches = list(shop.source.read(shop.source.parts()[0], cursor))
    ids = [one for batch in batches if batch.rows for one in batch.rows["id"].to_pylist()]
    return ids, batches[-1].cursor


@pytest.mark.parametrize("kind", ["enum('x')", "bit(8)", "year", "time", "float", "blob"])
def test_what_cannot_be_a_cursor_is_refused(shop: Shop, kind: str) -> None:
    shop.run(f"create table {{table}} (id int, total int, updated_at {kind})")
    assert "cannot be a cursor" in shop.refused()


def test_deleted_keys_are_found_by_comparison(shop: Shop) -> None:
    shop.options["compare_keys"] = True
    shop.table = f"shop.{shop.table}"  # as of another schema
    shop.run(
        "create table {table} (id bigint unsigned primary key, total int, updated_at datetime)",
        "insert into {table} values (1, 1, now()), (2, 1, now()), (18446744073709551615, 1, now())",
    )
    assert shop.pull().rows == 3
    shop.run("delete from {table} where id > 2")
    assert shop.pull().deleted == 1
    assert shop.landed("order_id, _deleted")[3:] == [("18446744073709551615", True)]
    assert shop.pull().load_id is None


def test_what_cannot_be_read_is_told_in_one_line(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.run(
        "create table {table}_of (id int primary key)",
        "create table {table} (id int, total int, updated_at datetime, secret int, "
        "foreign key (id) references {table}_of (id))",
        "create or replace user visitor identified by 'p@ss/w:rd%40#?'",
        "grant select on {table} to visitor",
    )
    port, root = shop.server.port, shop.url
    shop.url = f"mysql://visitor:hunter2@127.0.0.1:{port}/shop"
    assert "the server refuses user or password" in shop.refused()
    shop.url = f"mysql://visitor:${{ERP_PASSWORD}}@127.0.0.1:{port}/shop"
    monkeypatch.setenv("ERP_PASSWORD", "p@ss/w:rd%40#?")
    assert shop.source.problems() == [], "a table it refers to may be hidden"
    assert shop.pull().rows == 0
    shop.run("revoke select on {table} from visitor", "grant select (id) on {table} to visitor")
    shop.options["columns"] = ["id"]
    assert "this user may not read it; grant it `select`" in shop.refused()
    shop.run("revoke select (id) on {table} from visitor")
    assert "this user may not use the database" in shop.refused()
    shop.run("grant select on {table}_of to visitor")
    assert "this user may not read it; grant it `select`" in shop.refused()
    shop.url = root.replace("/shop", "/nix")
    assert "the server has no such database" in shop.refused()
    shop.url = "mysql://root:hunter2@127.0.0.1:1/shop"
    assert "nothing listens at that host and port" in shop.refused()
    shop.url = "mysql://root:hunter2@no.such.host.invalid/shop"
    assert "no host of that name" in shop.refused()
    shop.url, shop.table = root, "nowhere"
    assert "there is no table nowhere" in shop.refused()


def test_a_connection_that_breaks_while_it_is_read_may_be_tried_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    unraisable: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda fault: unraisable.append(fault.exc_value))
    shop.run(
        "create view {table} as select seq as id, 1 as total, now() as updated_at, "
        "repeat('x', 50) as doc from seq_1_to_1000000"
    )
    source = shop.source
    batches = source.read(source.parts()[0], None)
    assert next(batches).rows is not None
    shop.run(
        "begin not atomic for one in (select id from information_schema.processlist "
        "where info like '%{table}%' and id <> connection_id()) do kill one.id; end for; end"
    )
    with pytest.raises(SourceError, match="broke") as caught:
        list(batches)
    assert caught.value.is_transient
    del batches, caught
    gc.collect()
    assert (unraisable, caplog.records) == ([], []), "the driver says nothing besides"


def test_a_read_that_ends_early_drops_its_connection(shop: Shop) -> None:
    shop.run(
        "create view {table} as select seq as id, 1 as total, now() as updated_at from "
        "seq_1_to_1000000"
    )
    with closing(shop.source.read(shop.source.parts()[0], None)) as batches:
        next(batches)
    idle = "select count(*) from information_schema.processlist where user = 'root'"
    assert shop.server.value(idle) == 1, "only the one that asks"
