"""The simulator: reproducible, coherent, spoiled in every announced way, and true to its truth."""

from __future__ import annotations

import filecmp
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
import yaml

from seeds.simulator.__main__ import main
from seeds.simulator.faults import Fault
from seeds.simulator.settings import MAX_ROWS_PER_FILE
from seeds.simulator.vocabulary import EVENT_NAMES, PLACEHOLDERS

ARGUMENTS = ["--people", "250", "--days", "14", "--seed", "7"]
END = datetime(2026, 11, 1, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
CONTRACT = yaml.safe_load((ROOT / "orchestration/connectors/contract.yml").read_text())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    assert main([*ARGUMENTS, "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def db(run: Path) -> duckdb.DuckDBPyConnection:
    """Every entity as a table of text; lines that are no JSON objects in `broken`."""
    connection = duckdb.connect(":memory:")
    for entity in CONTRACT:
        source, name = entity.split("_", 1)
        if entity != "web_events":
            files = run / "inbox" / source / name / "*.csv*"
            connection.execute(
                f"create table {entity} as from read_csv('{files}', all_varchar = true)"
            )
    columns = ", ".join(
        f"line ->> '$.{column}' as {column}" for column in CONTRACT["web_events"]["columns"]
    )
    files = run / "inbox/web/events/*.jsonl.gz"
    connection.execute(
        f"""create table lines as from read_csv('{files}', header = false, delim = '\x01',
            quote = '', escape = '', columns = {{'line': 'varchar'}})"""
    )
    connection.execute("create table broken as from lines where not json_valid(line)")
    connection.execute(
        f"create table web_events as select {columns} from lines where json_valid(line)"
    )
    for file in (run / "truth").glob("*.parquet"):
        connection.execute(f"create table true_{file.stem} as from '{file}'")
    return connection


def one(db: duckdb.DuckDBPyConnection, query: str) -> int:
    row = db.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def files_of(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def test_the_same_arguments_give_the_same_bytes(run: Path, tmp_path: Path) -> None:
    main([*ARGUMENTS, "--out", str(tmp_path)])
    names = files_of(run)
    assert names == files_of(tmp_path)
    _, different, errors = filecmp.cmpfiles(run, tmp_path, map(str, names), shallow=False)
    assert (different, errors) == ([], [])


def test_another_seed_gives_other_events(run: Path, tmp_path: Path) -> None:
    main([*ARGUMENTS[:-1], "8", "--out", str(tmp_path)])
    name = Path("inbox/web/events/events-2026-10-25.jsonl.gz")
    assert (run / name).read_bytes() != (tmp_path / name).read_bytes()


@pytest.mark.parametrize("entity", [name for name in CONTRACT if name != "web_events"])
def test_every_entity_has_rows_and_the_columns_of_the_contract(
    db: duckdb.DuckDBPyConnection, entity: str
) -> None:
    assert one(db, f"select count(*) from {entity}") > 0
    found = [row[0] for row in db.execute(f"describe {entity}").fetchall()]
    assert set(CONTRACT[entity]["columns"]) <= set(found)


def test_events_carry_no_column_beyond_the_contract(run: Path) -> None:
    allowed = set(CONTRACT["web_events"]["columns"])
    for file in (run / "inbox/web/events").iterdir():
        for line in gzip.decompress(file.read_bytes()).decode().splitlines():
            if line.startswith("{") and line.endswith("}"):
                assert set(json.loads(line)) <= allowed


@pytest.mark.parametrize(
    ("child", "parent", "key"),
    [
        ("shop_order_items", "shop_orders", "order_id"),
        ("shop_order_items", "shop_products", "product_id"),
        ("shop_refunds", "shop_orders", "order_id"),
        ("crm_consents", "crm_contacts", "contact_id"),
        ("crm_interactions", "crm_contacts", "contact_id"),
        ("crm_tickets", "crm_contacts", "contact_id"),
        ("web_events", "shop_products", "product_id"),
        ("web_events", "shop_orders", "order_id"),
    ],
)
def test_keys_point_at_rows_that_exist(
    db: duckdb.DuckDBPyConnection, child: str, parent: str, key: str
) -> None:
    known = f"select {key} from {parent} where {key} is not null"
    lost = f"select count(*) from {child} where {key} is not null and {key} not in ({known})"
    assert one(db, lost) == 0
    assert one(db, f"select count(*) from {child} where {key} is not null") > 0


def test_totals_are_the_sum_of_the_items(db: duckdb.DuckDBPyConnection) -> None:
    wrong = """
        with sums as (
            select order_id, sum(quantity::int * unit_price::decimal(12, 2)
                - discount::decimal(12, 2)) as total
            from shop_order_items group by order_id
        )
        select count(*) from shop_orders left join sums using (order_id)
        where sums.total is distinct from shop_orders.total::decimal(12, 2)"""
    assert one(db, wrong) == 0


def test_a_purchase_event_agrees_with_its_order(db: duckdb.DuckDBPyConnection) -> None:
    wrong = """
        select count(*) from web_events inner join shop_orders using (order_id)
        where try_cast(value as decimal(12, 2)) <> total::decimal(12, 2)
            or web_events.cart_id <> shop_orders.cart_id"""
    assert one(db, wrong) == 0


def test_the_truth_knows_every_device_of_good_events(db: duckdb.DuckDBPyConnection) -> None:
    places = ", ".join(f"'{value}'" for value in PLACEHOLDERS)
    unknown = f"""
        select count(*) from web_events
        where anonymous_id not in ({places}) and anonymous_id not in
            (select value from true_identifiers where type = 'anonymous_id')"""
    assert one(db, unknown) == 0
    for column in ("user_id", "email"):
        strangers = f"""
            select count(*) from web_events where {column} not in ({places}) and {column} not in
                (select value from true_identifiers where type = '{column}')"""
        assert one(db, strangers) == 0


def test_true_sessions_are_those_of_thirty_minutes_without_activity(
    db: duckdb.DuckDBPyConnection,
) -> None:
    """Recomputed the slow way from what arrived, without the rows a pipeline must refuse."""
    refused = "'unknown_name', 'missing_property', 'wrong_type', 'placeholder_device'"
    rows = db.execute(
        f"""select distinct anonymous_id, event_id, occurred_at from web_events
            where event_id not in (select event_id from true_faults where kind in ({refused}))
            order by anonymous_id, occurred_at"""
    ).fetchall()
    sessions: list[list[tuple[str, datetime]]] = []
    for device, _, text in rows:
        moment = datetime.fromisoformat(text)
        last = sessions[-1][-1] if sessions else None
        if last and last[0] == device and moment - last[1] < timedelta(minutes=30):
            sessions[-1].append((device, moment))
        else:
            sessions.append([(device, moment)])
    found = sorted((s[0][0], s[0][1], s[-1][1], len(s)) for s in sessions)
    db.execute("set timezone = 'UTC'")
    true = db.execute(
        """select anonymous_id, epoch_ms(started_at), epoch_ms(ended_at), events
           from true_sessions order by anonymous_id, started_at"""
    ).fetchall()
    assert true == [(d, _ms(start), _ms(end), count) for d, start, end, count in found]


def _ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@pytest.mark.parametrize("fault", [fault.name.lower() for fault in Fault if fault])
def test_each_fault_is_announced(db: duckdb.DuckDBPyConnection, fault: str) -> None:
    assert one(db, f"select count(*) from true_faults where kind = '{fault}'") > 0


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("malformed", "select count(*) from broken"),
        (
            "unknown name",
            f"select count(*) from web_events where name not in {EVENT_NAMES}",
        ),
        (
            "missing property",
            """select count(*) from web_events where
                (name = 'product_view' and product_id is null)
                or (name = 'category_view' and category is null)
                or (name = 'search' and search_query is null)
                or (name = 'scroll' and scroll_depth is null)
                or (name like '%cart' and product_id is null)""",
        ),
        (
            "wrong type",
            """select count(*) from web_events where occurred_at = 'yesterday'
                or quantity = 'two' or value = 'n/a' or scroll_depth = 'half'""",
        ),
        (
            "placeholder",
            f"""select count(*) from web_events
                where anonymous_id in {PLACEHOLDERS} or user_id in {PLACEHOLDERS}""",
        ),
        (
            "duplicate",
            """select count(*) from (select 1 from web_events
                group by event_id, received_at having count(*) > 1)""",
        ),
        (
            "retry",
            """select count(*) from (select 1 from web_events
                group by event_id having count(distinct received_at) > 1)""",
        ),
        (
            "late",
            """select count(*) from web_events where try_cast(occurred_at as timestamptz)
                < received_at::timestamptz - interval 1 day""",
        ),
        (
            "test account",
            "select count(*) from crm_contacts where email like '%@muster.test'",
        ),
        (
            "order by a guest",
            """select count(*) from shop_orders
                where coalesce(customer_id, '-1') = '-1' and email is not null""",
        ),
        (
            "order by nobody",
            """select count(*) from shop_orders where coalesce(customer_id, '-1') = '-1'
                and email is null and phone is null""",
        ),
        (
            "shared device",
            """select count(*) from (select 1 from true_identifiers
                where type = 'anonymous_id' group by value having count(*) > 1)""",
        ),
    ],
)
def test_each_fault_is_in_the_files(db: duckdb.DuckDBPyConnection, fault: str, seen: str) -> None:
    assert one(db, seen) > 0, fault


@pytest.mark.parametrize(
    ("behaviour", "seen"),
    [
        (
            "more than five sessions in seven days",
            """select count(*) from (select 1 from true_sessions
                where started_at > timestamptz '2026-10-25T00:00:00Z'
                group by person_id having count(*) > 5)""",
        ),
        (
            "a cart left shortly before the end",
            """select count(*) from (select 1 from web_events where cart_id is not null
                group by cart_id having max(occurred_at) between
                    '2026-10-31T18:00:00Z' and '2026-10-31T23:45:00Z'
                    and not bool_or(name = 'purchase'))""",
        ),
        ("churn", "select count(*) from true_churn where churned"),
        ("a holdout", "select count(*) from true_treatments where not treated"),
    ],
)
def test_the_behaviour_that_segments_look_for(
    db: duckdb.DuckDBPyConnection, behaviour: str, seen: str
) -> None:
    assert one(db, seen) > 0, behaviour


def test_nothing_happens_after_the_end_or_after_churn(db: duckdb.DuckDBPyConnection) -> None:
    end = END.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert one(db, f"select count(*) from web_events where received_at >= '{end}'") == 0
    assert one(db, f"select count(*) from shop_orders where ordered_at >= '{end}'") == 0
    late = """select count(*) from true_sessions inner join true_churn using (person_id)
        where started_at > stopped_at"""
    assert one(db, late) == 0


def test_files_are_bounded_and_events_ordered_by_arrival(run: Path) -> None:
    files = sorted((run / "inbox/web/events").iterdir())
    assert len(files) == 14
    for file in files:
        assert len(gzip.decompress(file.read_bytes()).splitlines()) <= MAX_ROWS_PER_FILE


def test_a_large_day_is_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seeds.simulator.run.MAX_ROWS_PER_FILE", 50)
    main([*ARGUMENTS, "--days", "2", "--out", str(tmp_path)])
    files = sorted((tmp_path / "inbox/web/events").iterdir())
    assert len(files) > 2
    assert all(len(gzip.decompress(f.read_bytes()).splitlines()) <= 50 for f in files)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--people", "1", "--out", "x"], "--people must be at least 10"),
        (["--days", "0", "--out", "x"], "--days must be between"),
        (["--end", "soon", "--out", "x"], "--end must be an ISO 8601 moment"),
        ([], "say where to write"),
    ],
)
def test_a_bad_argument_says_what_is_wrong(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_two_runs_do_not_mix(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*ARGUMENTS, "--out", str(run)])
    assert "--replace" in capsys.readouterr().err


def test_a_short_run_ends_well(tmp_path: Path) -> None:
    assert main(["--people", "10", "--days", "1", "--out", str(tmp_path)]) == 0
