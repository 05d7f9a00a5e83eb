"""A real PostgreSQL that changes while it is read, refuses, vanishes, and outlives killed pulls."""

import itertools
import multiprocessing
import random
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
import pytest
import yaml

from orchestration.connectors.landing import live_files
from orchestration.connectors.pull import PullReport, pull
from orchestration.connectors.sources.base import SourceError
from orchestration.connectors.sources.overlap import Overlap
from orchestration.connectors.sources.sql import SqlSource
from tests.kills import muster, seeded
from tests.postgres import execute, postgres
from tests.pull_for_ever import pull_table_for_ever

ORDERS = """create table {name} (
    id int primary key, total numeric(12, 2), ordered_at timestamptz, updated_at timestamptz,
    deleted_at timestamp, tags text[], doc jsonb, flag boolean, raw bytea)"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as (url, _):
        # Its clock shows another time than UTC, which no value may take from it.
        execute(url, "alter role postgres set timezone = 'Asia/Tokyo'")
        yield url


class Shop:
    """One table of its own for each test, and a landing folder."""

    def __init__(self, url: str, folder: Path, table: str) -> None:
        self.url, self.folder, self.table = url, folder, table
        self.landing = folder / "landing"
        self.options: dict[str, Any] = {"cursor": "updated_at"}
        self.mapping: dict[str, Any] = {
            "columns": {"order_id": '"id"', "total": '"total"', "ordered_at": '"ordered_at"'},
            "deleted": '"deleted_at" is not null',
        }

    @property
    def definition(self) -> dict[str, Any]:
        entry = {"table": self.table, "entity": "shop_orders", **self.options}
        return {
            "name": "erp",
            "type": "sql",
            "url": self.url,
            "tables": [{**entry, "mapping": self.mapping}],
        }

    @property
    def source(self) -> SqlSource:
        return SqlSource(**self.definition)

    def run(self, statement: str) -> None:
        execute(self.url, statement.format(table=self.table))

    def insert(self, *numbers: int, minute: str = "'{number} minutes'") -> None:
        for number in numbers:
            moment = f"timestamptz '2026-01-01 12:00+02' + interval {minute.format(number=number)}"
            self.run(
                f"insert into {{table}} (id, total, ordered_at, updated_at) "
                f"values ({number}, {number}.5, {moment}, {moment})"
            )

    def pull(self) -> PullReport:
        return pull(self.source, self.source.parts()[0], self.landing, self.folder / "state")

    def landed(self) -> list[tuple[str, str | None, bool]]:
        """All landed versions, as they came."""
        files = live_files(self.landing, "erp", "shop_orders")
        return duckdb.execute(
            "select order_id, total, _deleted from read_parquet(?) order by _load_id, _row_number",
            [files],
        ).fetchall()

    def living(self) -> dict[str, str | None]:
        """What staging keeps: the last version of each key, if it is not deleted."""
        state: dict[str, str | None] = {}
        for order_id, total, is_deleted in self.landed():
            state.pop(order_id, None)
            if not is_deleted:
                state[order_id] = total
        return state

    def there(self) -> dict[str, str | None]:
        """What the table holds now."""
        with psycopg.connect(self.url) as connection:
            rows = connection.execute(
                f"select id::text, total::text from {self.table} where deleted_at is null"  # type: ignore[arg-type]
            ).fetchall()
        return dict(rows)


@pytest.fixture
def shop(server: str, tmp_path: Path, request: pytest.FixtureRequest) -> Shop:
    made = Shop(server, tmp_path, f"t{abs(hash(request.node.name))}")
    made.run(ORDERS.replace("{name}", "{table}"))
    return made


def test_values_land_as_the_database_writes_them(shop: Shop) -> None:
    shop.run(
        "insert into {table} values (1, 1.50, '2026-01-01 12:00+02', "
        "'2026-01-01 00:00:00.123456+00', null, array['a', 'b'], '{{\"x\": 1.50}}', true, "
        "'\\x01ff')"
    )
    shop.pull()
    ((ordered_at, extra),) = duckdb.execute(
        "select ordered_at, _extra from read_parquet(?)",
        [live_files(shop.landing, "erp", "shop_orders")],
    ).fetchall()
    assert ordered_at == "2026-01-01 10:00:00+00"
    assert yaml.safe_load(extra) == {
        "updated_at": "2026-01-01 00:00:00.123456+00",
        "deleted_at": None,
        "tags": "{a,b}",
        "doc": '{"x": 1.50}',
        "flag": "true",
        "raw": "\\x01ff",
    }


def test_only_what_is_new_or_changed_lands(shop: Shop) -> None:
    shop.insert(1, 2, 3)
    assert shop.pull().rows == 3
    assert shop.pull().load_id is None
    shop.run(
        "update {table} set total = 9, updated_at = updated_at + interval '1 day' where id = 1"
    )
    shop.insert(4)
    assert shop.pull().rows == 2
    assert shop.pull().load_id is None
    assert shop.living() == shop.there()
    report = shop.pull()
    assert report.position == {"value": "2026-01-02 10:01:00+00"}
    assert report.lag_seconds is not None and report.lag_seconds > 0


def test_a_row_that_commits_late_with_an_older_cursor_comes_with_the_overlap(shop: Shop) -> None:
    shop.insert(1, 10)
    with psycopg.connect(shop.url) as late:
        late.execute(
            f"insert into {shop.table} (id, total, updated_at) "  # type: ignore[arg-type]
            "values (5, 5, timestamptz '2026-01-01 12:05+02')"
        )
        shop.insert(11)
        assert shop.pull().rows == 3
        late.commit()
    assert shop.pull().rows == 1
    assert shop.living() == shop.there()
    assert len(shop.landed()) == 4, "rows of the overlap that had landed do not land again"


def test_a_row_without_a_cursor_value_lands_once_and_again_when_it_changes(shop: Shop) -> None:
    shop.insert(1)
    shop.run("insert into {table} (id, total) values (2, 2)")
    assert shop.pull().rows == 2
    assert shop.pull().load_id is None
    shop.run("update {table} set total = 3 where id = 2")
    assert shop.pull().rows == 1


@pytest.mark.parametrize(
    ("column", "kind", "values"),
    [
        ("version", "bigint", ("9", "10", "11")),
        ("day", "date", ("'2026-01-01'", "'2026-01-02'", "'2026-01-03'")),
        ("stamp", "timestamp", ("'2026-01-01 10:00'", "'2026-01-01 11:00'", "'2026-01-01 12:00'")),
        ("word", "text", ("'a'", "'b'", "'c'")),
    ],
)
def test_every_kind_of_cursor(shop: Shop, column: str, kind: str, values: tuple[str, ...]) -> None:
    shop.run(f"alter table {{table}} add column {column} {kind}")
    shop.options = {"cursor": column}
    for number, value in enumerate(values, start=1):
        shop.run(f"insert into {{table}} (id, {column}) values ({number}, {value})")
        assert shop.pull().rows == 1
    assert shop.pull().load_id is None


def test_a_table_of_another_schema(shop: Shop) -> None:
    shop.run("create schema if not exists sales")
    shop.run(f"create table sales.{shop.table} (id int, total int)")
    shop.run(f"insert into sales.{shop.table} values (1, 2)")
    shop.table, shop.options = f"sales.{shop.table}", {"compare_keys": True}
    shop.mapping = {"columns": {"order_id": '"id"', "total": '"total"'}}
    assert shop.source.problems() == []
    shop.pull()
    assert shop.living() == {"1": "2"}


def test_a_soft_deleted_row_is_gone(shop: Shop) -> None:
    shop.insert(1, 2)
    shop.pull()
    shop.run(
        "update {table} set deleted_at = now(), updated_at = updated_at + interval '1 day' "
        "where id = 2"
    )
    shop.pull()
    assert shop.living() == shop.there() == {"1": "1.50"}


@pytest.mark.parametrize("cursor", ["updated_at", ""])
def test_deleted_keys_are_found_by_comparison_and_may_come_back(shop: Shop, cursor: str) -> None:
    shop.options = {"cursor": cursor, "compare_keys": True}
    shop.insert(1, 2, 3, 100)  # the last one so late that the others lie below the overlap
    shop.pull()
    shop.run("delete from {table} where id = 2")
    assert shop.pull().deleted == 1
    assert shop.living() == shop.there()
    assert shop.pull().load_id is None
    shop.insert(2)  # the same as before, with its old cursor value
    shop.pull()
    shop.pull()
    assert shop.living() == shop.there()
    assert shop.pull().load_id is None


def test_soft_deletion_and_comparison_together(shop: Shop) -> None:
    shop.options["compare_keys"] = True
    shop.insert(1, 2, 3, 100)
    shop.run("update {table} set deleted_at = now() where id = 2")
    assert shop.pull().rows == 4
    assert shop.pull().load_id is None, "a key that is deleted at the source is not back"
    shop.run("update {table} set deleted_at = now() where id = 1")  # its cursor value stays
    assert shop.pull().deleted == 1
    assert shop.living() == shop.there()
    shop.run("update {table} set deleted_at = null where id = 2")
    shop.pull()
    shop.pull()
    assert shop.living() == shop.there() == {"2": "2.50", "3": "3.50", "100": "100.50"}
    shop.run("update {table} set deleted_at = null, updated_at = '2026-02-01' where id = 1")
    assert shop.pull().notes == [], "a key that arrives by its cursor needs no second pull"
    assert shop.living() == shop.there()
    assert shop.pull().load_id is None


@pytest.mark.parametrize("many", [1, 2])
def test_an_empty_table_deletes_no_more_than_one_key(shop: Shop, many: int) -> None:
    shop.options["compare_keys"] = True
    shop.insert(*range(many))
    shop.pull()
    shop.run("truncate {table}")
    if many == 1:
        assert shop.pull().deleted == 1
        return
    with pytest.raises(SourceError, match=f"{many} of {many} keys are gone"):
        shop.pull()


@pytest.mark.parametrize("moment", ["'infinity'", "now() + interval '3 days'"])
def test_a_cursor_value_of_the_future_hides_nothing(shop: Shop, moment: str) -> None:
    shop.insert(1)
    shop.run(f"insert into {{table}} (id, total, updated_at) values (2, 2, {moment})")
    report = shop.pull()
    assert report.position == {"value": "2026-01-01 10:01:00+00"}
    assert report.notes == [
        "rows whose updated_at is more than a day in the future: 1; they do not move the cursor"
    ]
    shop.insert(3)
    assert shop.pull().rows == 1
    assert shop.pull().load_id is None
    shop.run("update {table} set total = 9 where id = 2")
    assert shop.pull().rows == 1
    assert shop.living() == shop.there()


@pytest.mark.parametrize(
    ("bound", "moment"), [("MAX_SEEN", "timestamptz '2026-01-01'"), ("MAX_MARKED", "null")]
)
def test_an_overlap_of_many_rows_does_not_land_again(
    shop: Shop, moment: str, bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"orchestration.connectors.sources.overlap.{bound}", 50)
    shop.run(
        f"insert into {{table}} (id, total, updated_at) select n, n, {moment} "
        "from generate_series(1, 60) n"
    )
    report = shop.pull()
    assert report.rows == 60
    assert report.cursor is not None
    assert report.cursor["seen"] is None, "they are too many to mark"
    assert shop.pull().load_id is None
    shop.run("update {table} set total = 0 where id = 7")
    assert shop.pull().rows == 1
    assert shop.pull().load_id is None
    assert shop.living() == shop.there()


def test_rows_that_left_the_window_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.connectors.sources.overlap.MAX_MARKED", 50)
    overlap = Overlap("n", "number", 10, None)
    for begin in range(0, 200, 5):
        numbers = [str(number) for number in range(begin, begin + 5)]
        assert overlap.new_rows(pa.table({"n": numbers})).num_rows == 5
    assert overlap.cursor["value"] == "199"
    assert len(overlap.cursor["seen"]) == 11


def test_a_cursor_that_gets_another_type_begins_anew(shop: Shop) -> None:
    shop.insert(1)
    shop.pull()
    shop.run(
        "alter table {table} alter column updated_at type bigint "
        "using extract(epoch from updated_at)::bigint"
    )
    shop.run("insert into {table} (id, total, updated_at) values (2, 2, 1800000000)")
    report = shop.pull()
    assert report.notes[0] == "cursor updated_at has another type; all was read again"
    assert report.position == {"value": "1800000000"}
    assert shop.living() == shop.there()


def test_no_setting_of_the_server_changes_what_lands(shop: Shop) -> None:
    role, _, query = shop.url.partition("@")
    role = f"visitor_{shop.table}"
    shop.run(f"create role {role} login superuser")
    for setting in ("datestyle = 'SQL, DMY'", "bytea_output = 'escape'", "timezone = 'Japan'"):
        shop.run(f"alter role {role} set {setting}")
    shop.url = f"postgresql://{role}:@{query}"
    test_values_land_as_the_database_writes_them(shop)
    assert shop.pull().load_id is None


def test_names_of_columns_may_hold_anything(shop: Shop) -> None:
    shop.run("""alter table {table} add "100%" int default 1, add "a:b" int default 2,
        add "it's ""Ünï"" $1" int default 3, add word text default 'x''%:y'""")
    shop.options["cursor"] = "word"
    shop.insert(1)
    assert shop.pull().rows == 1
    assert shop.pull().load_id is None
    shop.insert(2)
    assert shop.pull().rows == 1


def test_most_keys_gone_at_once_is_a_fault_of_the_source(shop: Shop) -> None:
    shop.options = {"cursor": "updated_at", "compare_keys": True}
    shop.run("insert into {table} (id, updated_at) select n, now() from generate_series(1, 100) n")
    shop.pull()
    shop.run("delete from {table} where id > 10")
    with pytest.raises(SourceError, match=r"90 of 100 keys are gone.*allow_mass_delete"):
        shop.pull()
    assert len(shop.living()) == 100
    shop.options["allow_mass_delete"] = True
    assert shop.pull().deleted == 90


def test_a_table_without_cursor_is_read_whole_and_lands_what_changed(shop: Shop) -> None:
    shop.options = {}
    shop.insert(1, 2)
    assert shop.pull().rows == 2
    assert shop.pull().load_id is None
    shop.run("update {table} set total = 9 where id = 1")
    assert shop.pull().rows == 1
    shop.run("update {table} set total = 1.50 where id = 1")
    assert shop.pull().rows == 1
    assert shop.living() == shop.there()


def test_changes_of_the_schema(shop: Shop) -> None:
    shop.insert(1)
    shop.pull()
    shop.run("alter table {table} add column colour text, alter column id type bigint")
    shop.insert(2)
    notes = shop.pull().notes
    assert notes == [
        "new columns, kept in _extra until they are mapped: colour",
        "column id was INTEGER and is BIGINT",
    ]
    shop.run("alter table {table} rename column total to amount")
    shop.run("insert into {table} (id, amount, updated_at) values (3, 3, '2027-01-01')")
    for columns in ([], ["id"]):  # the mapping needs it, whichever columns are chosen
        shop.options["columns"] = columns
        with pytest.raises(SourceError, match=f"total is gone; {shop.table} has id, amount"):
            shop.pull()
        assert "column total is gone" in shop.source.problems()[0]
    shop.options["columns"] = []
    shop.mapping["columns"]["total"] = '"amount"'
    shop.pull()
    assert len(shop.living()) == 3


def test_an_empty_table_is_no_fault(shop: Shop) -> None:
    assert shop.source.problems() == []
    assert shop.pull().rows == 0
    assert shop.pull().rows == 0


def test_what_cannot_be_read_is_told_in_one_line(shop: Shop) -> None:
    def problem(**changes: Any) -> str:
        definition = shop.definition
        definition.update({key: value for key, value in changes.items() if key == "url"})
        definition["tables"][0].update({k: v for k, v in changes.items() if k != "url"})
        source = SqlSource(**definition)
        (told,) = source.problems()
        with pytest.raises(SourceError) as caught:
            pull(source, source.parts()[0], shop.landing, shop.folder / "state")
        for text in (told, str(caught.value)):
            assert "\n" not in text
            assert "hunter2" not in text
        assert str(caught.value) == told
        return told

    assert "there is no table nowhere" in problem(table="nowhere")
    assert "column colour is gone" in problem(columns=["id", "colour"])
    assert "column flag of type BOOLEAN cannot be a cursor" in problem(cursor="flag")
    down = problem(url="postgresql://me:hunter2@127.0.0.1:1/erp")
    assert down == f"erp/{shop.table}: nothing listens at that host and port"
    assert "url is no address of a database" in problem(url="me:hunter2@db/erp")
    assert "databases of type oracle cannot be read" in problem(url="oracle://me:hunter2@db/erp")
    assert "no host of that name" in problem(url="postgresql://me:hunter2@no.such.host.invalid/erp")
    base, query = shop.url.split("?")
    assert "the server has no such database" in problem(url=f"{base.rsplit('/', 1)[0]}/nix?{query}")
    role = "create role {name} login password 'hunter2'"
    shop.run(f"do $$ begin {role.format(name='visitor')}; exception when others then null; end $$")
    visitor = f"postgresql://visitor:hunter2@/postgres?{query}"
    assert "this user may not read it; grant it `select`" in problem(url=visitor)
    assert "may not read it" in problem(url=visitor, compare_keys=True)


def test_a_mapping_that_names_what_is_not_there_is_told_before_there_are_rows(shop: Shop) -> None:
    shop.mapping["columns"]["order_id"] = 'idd || "id"'
    (told,) = shop.source.problems()
    assert told.startswith(f"erp/{shop.table}: the mapping of shop_orders cannot be calculated")
    assert '"idd" not found' in told
    shop.insert(1)
    with pytest.raises(SourceError) as caught:
        shop.pull()
    assert str(caught.value) == told


def test_a_wrong_password_is_told_without_it(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server of the tests trusts its socket; this one asks for a password."""
    with postgres() as (url, folder):
        right = "p@ss/w:rd%40#?"
        execute(
            url, f"create role visitor login password '{right}'", "create table orders (id int)"
        )
        execute(url, "grant select on orders to visitor")
        hba = folder / "pg_hba.conf"
        hba.write_text("local all postgres trust\nlocal all all scram-sha-256\n")
        execute(url, "select pg_reload_conf()")
        query = url.split("?")[1]
        shop = Shop(f"postgresql://visitor:hunter2@/postgres?{query}", tmp_path, "orders")
        (told,) = shop.source.problems()
        assert "the server refuses user or password" in told
        assert "hunter2" not in told
        shop.url = f"postgresql://visitor:${{ERP_PASSWORD}}@/postgres?{query}"
        shop.options, shop.mapping = {}, {"columns": {"order_id": '"id"'}}
        monkeypatch.setenv("ERP_PASSWORD", right)
        assert shop.source.problems() == [], "a secret may hold what an address must not"
        assert shop.pull().rows == 0


def test_a_connection_that_breaks_while_it_is_read_may_be_tried_again(shop: Shop) -> None:
    shop.run("drop table {table}")
    shop.run(
        "create view {table} as select n as id, 1 as total, now() as ordered_at, "
        "now() as updated_at, now() as deleted_at, repeat('x', 1000) as doc "
        "from generate_series(1, 1000000) n"
    )
    source = shop.source
    batches = source.read(source.parts()[0], None)
    assert next(batches).rows is not None
    shop.run(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where query ilike 'copy%{table}%' and pid <> pg_backend_pid()"
    )
    with pytest.raises(SourceError, match="broke") as caught:
        list(batches)
    assert caught.value.is_transient


def test_a_database_without_arrow_driver(tmp_path: Path) -> None:
    """SQLite stands for all that SQLAlchemy reads: MySQL takes the same way."""
    shop = Shop(f"sqlite:///{tmp_path / 'shop.db'}", tmp_path, "orders")
    database = sqlite3.connect(tmp_path / "shop.db", isolation_level=None)
    database.execute(
        "create table orders (id integer primary key, total numeric(12, 2), ordered_at datetime, "
        "updated_at datetime, deleted_at datetime, raw blob)"
    )
    database.execute("insert into orders values (1, 1.5, null, '2026-01-01 10:00:00', null, x'ff')")
    shop.options["compare_keys"] = True
    assert shop.source.problems() == []
    assert shop.pull().rows == 1
    assert shop.pull().load_id is None
    database.execute("insert into orders values (2, 2, null, '2026-01-01 09:55:00', null, null)")
    assert shop.pull().rows == 1
    database.execute("insert into orders values (3, 3, null, '2026-01-01 09:00:00', null, null)")
    assert shop.pull().rows == 0, "older than the overlap"
    database.execute("delete from orders where id = 1")
    assert shop.pull().deleted == 1
    assert shop.living() == {"2": "2"}
    shop.options["cursor"] = "colour"
    assert "column colour is gone" in shop.source.problems()[0]


def _change(shop: Shop, chance: random.Random, first: int) -> None:
    """Some inserted, updated and deleted rows."""
    last = first + chance.randrange(50)
    shop.run(
        "insert into {table} (id, total, updated_at) "
        f"select n, n, clock_timestamp() from generate_series({first}, {last}) n"
    )
    shop.run(
        "update {table} set total = total + 1, updated_at = clock_timestamp() "
        f"where id % 13 = {chance.randrange(13)}"
    )
    shop.run(f"delete from {{table}} where id % 37 = {chance.randrange(37)}")


def _killed_pulls(shop: Shop, kills: int) -> int:
    """Kill a pulling process again and again while the table changes; how many loads were torn."""
    chance = seeded()
    shop.options["compare_keys"] = True
    state = shop.folder / "state"
    # Every child is forked from a process that has the imports behind it, so it is killed as it
    # pulls and not before.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.pull_for_ever"])
    torn, numbers = 0, itertools.count(1000, 100)
    for _ in range(kills):
        done = context.Semaphore(0)
        work = (shop.definition, shop.landing, state, done)
        child = context.Process(target=pull_table_for_ever, args=work)
        child.start()
        with psycopg.connect(shop.url) as late:
            late.execute(
                f"insert into {shop.table} (id, total, updated_at) "  # type: ignore[arg-type]
                f"values ({next(numbers)}, 1, clock_timestamp())"
            )
            for _ in range(chance.randrange(1, 4)):
                _change(shop, chance, next(numbers))
                assert done.acquire(timeout=60)
            _change(shop, chance, next(numbers))
            time.sleep(chance.uniform(0, 0.4))  # a pull takes about so long
            assert child.is_alive()
            child.kill()
            child.join()
            late.commit()
        packages = (state / "landing_erp").rglob("[0-9]*.[0-9]*/")
        torn += any(path.parent.name != "loaded" for path in packages if path.is_dir())
    shop.pull()
    shop.pull()  # keys that were gone when they were compared and are back
    assert shop.living() == shop.there()
    assert shop.pull().load_id is None
    return torn


def test_a_killed_pull_is_repaired_by_the_next(shop: Shop) -> None:
    _killed_pulls(shop, 3)


@pytest.mark.soak
def test_fifty_killed_pulls_are_repaired(shop: Shop) -> None:
    assert _killed_pulls(shop, 50) >= 10, "kills must hit pulls in their middle"


def test_the_command_line(shop: Shop) -> None:
    shop.insert(1, 2)
    file = shop.folder / "sources.yml"
    definition = {**shop.definition, "url": shop.url.replace("postgres:@", "postgres:${PASSWORD}@")}
    file.write_text(yaml.safe_dump({"sources": [definition]}))
    environment = {"MUSTER_HOME": str(shop.folder), "MUSTER_SOURCES": str(file), "COLUMNS": "200"}

    def run(*arguments: str, **more: str) -> tuple[int, str]:
        process = muster(*arguments, environment={**environment, **more})
        output, _ = process.communicate()
        return process.returncode, output

    assert run("sources", "test", "erp") == (
        1,
        f"erp/{shop.table}: source erp needs the environment variable PASSWORD\n",
    )
    assert run("sources", "test", "erp", PASSWORD="hunter2")[0] == 0
    status, output = run("sources", "pull", "erp", PASSWORD="hunter2")
    assert (status, output) == (0, f"erp/{shop.table}: 2 rows into shop_orders\n")
    shop.run("delete from {table} where id = 1")
    definition["tables"][0]["compare_keys"] = True
    file.write_text(yaml.safe_dump({"sources": [definition]}))
    _, output = run("sources", "pull", "erp", PASSWORD="hunter2")
    assert output == f"erp/{shop.table}: 0 rows into shop_orders, 1 keys deleted\n"
    status, output = run("sources", "list", COLUMNS="80")
    assert "shop_orders" in output, "in 80 columns no name is broken"
    assert "10:02:00+00" in output
    assert "PASSWORD" not in output
