"""The file drop: each file exactly once, bad lines aside, damaged files named, good rows kept."""

import gzip
import json
import shutil
import tempfile
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.connectors import landing as landing_module
from orchestration.connectors.sources import copier, raw_files
from orchestration.connectors.sources.file_drop import (
    DropReport,
    land_inbox,
    new_files,
    stray_files,
)


class Home:
    def __init__(self, folder: Path) -> None:
        self.inbox, self.landing, self.state = folder / "inbox", folder / "landing", folder / "dlt"

    def drop(self, name: str, content: bytes | str) -> Path:
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def land(self, source: str) -> DropReport:
        return land_inbox(self.inbox, self.landing, self.state, source)

    def rows(self, table: str, columns: str = "*") -> list[tuple[object, ...]]:
        files = f"{self.landing}/*/{table}/*.parquet"
        if not list(self.landing.glob(f"*/{table}/*.parquet")):
            return []
        query = f"select {columns} from read_parquet('{files}') order by _source_file, _row_number"
        return duckdb.sql(query).fetchall()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


EVENT = '{"event_id": "e1", "name": "page_view", "occurred_at": "2026-01-01T00:00:00Z"}\n'
PRODUCTS = "product_id,name,category,brand,price,currency,updated_at\n"


def test_rows_arrive_with_where_they_came_from(home: Home) -> None:
    home.drop("web/events/a.jsonl", EVENT)
    report = home.land("web")
    found = home.rows("web_events", "event_id, name, _source_file, _row_number, _load_id")
    assert found == [("e1", "page_view", "web/events/a.jsonl", 1, report.load_id)]


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "jsonl", "jsonl.gz", "parquet"])
def test_every_format_gives_the_same_row(home: Home, suffix: str) -> None:
    values = {"product_id": "p1", "name": 'A "big", Ümlaut', "price": "1.50"}
    if suffix == "parquet":
        path = home.drop("shop/products/a.parquet", b"")
        duckdb.sql(
            f"copy (select 'p1' as product_id, 'A \"big\", Ümlaut' as name, 1.50 as price) "
            f"to '{path}' (format parquet)"
        )
    else:
        text = (
            json.dumps(values)
            if "jsonl" in suffix
            else ('product_id,name,price\np1,"A ""big"", Ümlaut",1.50\n')
        )
        raw = text.encode()
        home.drop(f"shop/products/a.{suffix}", gzip.compress(raw) if "gz" in suffix else raw)
    home.land("shop")
    assert home.rows("shop_products", "product_id, name, price") == [tuple(values.values())]


def test_a_file_is_landed_once_however_often_the_job_runs(home: Home) -> None:
    home.drop("web/events/a.jsonl", EVENT)
    assert home.land("web").rows == {"web_events": 1}
    assert home.land("web").load_id is None
    assert new_files(home.inbox, home.landing) == {}
    home.drop("web/events/b.jsonl", EVENT.replace("e1", "e2"))
    assert [path.name for path in new_files(home.inbox, home.landing)] == ["b.jsonl"]
    home.land("web")
    assert [row[0] for row in home.rows("web_events", "event_id")] == ["e1", "e2"]


def test_a_lost_working_folder_of_dlt_does_not_load_anything_twice(home: Home) -> None:
    home.drop("web/events/a.jsonl", EVENT)
    home.land("web")
    shutil.rmtree(home.state)
    home.drop("web/events/b.jsonl", EVENT.replace("e1", "e2"))
    home.land("web")
    assert [row[0] for row in home.rows("web_events", "event_id")] == ["e1", "e2"]


def test_a_copy_under_another_name_is_named_and_not_loaded(home: Home) -> None:
    home.drop("web/events/a.jsonl", EVENT)
    home.drop("web/events/copy.jsonl", EVENT)
    report = home.land("web")
    notes = {item.path: item.message for item in report.files}
    assert notes["web/events/copy.jsonl"] == "same content as web/events/a.jsonl, not loaded again"
    assert len(home.rows("web_events")) == 1
    assert home.land("web").load_id is None


def test_files_of_a_load_that_died_are_neither_counted_nor_kept(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.drop("web/events/a.jsonl", EVENT)
    home.land("web")
    orphan = home.landing / "web" / "web_events" / "1.5.abc.parquet"
    orphan.write_bytes(b"half a file")
    assert landing_module.landed_files(home.landing, "web")[0].path == "web/events/a.jsonl"
    home.drop("web/events/b.jsonl", EVENT.replace("e1", "e2"))
    home.land("web")
    assert not orphan.exists()


def test_an_empty_inbox_and_an_unknown_source(home: Home) -> None:
    assert home.land("web") == DropReport("web")
    home.drop("crm/wishes/a.csv", "a,b\n1,2\n")
    refused = home.land("crm").refused
    assert "inbox/crm/wishes is not an entity of the input contract" in refused["crm/wishes"]


def test_an_empty_file_and_a_header_only_are_named(home: Home) -> None:
    home.drop("shop/products/empty.csv", "")
    home.drop("shop/products/header.csv", PRODUCTS)
    home.drop("shop/products/good.csv", PRODUCTS + "p1,a,b,c,1,EUR,\n")
    notes = {Path(item.path).name: item.message for item in home.land("shop").files}
    assert notes["empty.csv"] == "the file is empty"
    assert notes["header.csv"] == "no rows after the header"
    assert len(home.rows("shop_products")) == 1


def test_a_truncated_gzip_is_refused_whole_and_loaded_when_it_is_whole(home: Home) -> None:
    whole = gzip.compress((EVENT * 1000).encode())
    home.drop("web/events/a.jsonl.gz", whole[: len(whole) // 2])
    home.drop("web/events/b.jsonl", EVENT)
    report = home.land("web")
    assert "cut off or damaged" in report.refused["web/events/a.jsonl.gz"]
    assert len(home.rows("web_events")) == 1
    home.drop("web/events/a.jsonl.gz", whole)
    assert home.land("web").refused == {}
    assert len(home.rows("web_events")) == 1001


def test_missing_and_extra_columns_are_reported_and_nothing_is_lost(home: Home) -> None:
    home.drop("shop/products/a.csv", "product_id,colour\np1,red\n")
    note = home.land("shop").files[0].message
    assert "missing columns, read as null: name, category" in note
    assert "unknown columns, kept in _extra: colour" in note
    assert home.rows("shop_products", "product_id, name, _extra") == [
        ("p1", None, '{"colour":"red"}')
    ]


def test_unknown_keys_of_json_are_kept(home: Home) -> None:
    home.drop("web/events/a.jsonl", '{"event_id": "e1", "ab": {"x": [1, 2]}, "name": null}\n')
    home.land("web")
    assert home.rows("web_events", "event_id, name, _extra") == [("e1", None, '{"ab":{"x":[1,2]}}')]


def test_a_wrong_encoding_puts_its_lines_aside_and_keeps_the_others(home: Home) -> None:
    latin = PRODUCTS.encode() + "p1,Käse,b,c,1,EUR,\n".encode("latin-1") + b"p2,a,b,c,1,EUR,\n"
    home.drop("shop/products/a.csv", latin)
    home.land("shop")
    assert home.rows("shop_products", "product_id") == [("p2",)]
    (line,) = home.rows("_rejected_lines", "_source_file, _row_number, reason")
    assert line[:2] == ("shop/products/a.csv", 2)
    assert "not utf-8" in str(line[2])


def test_rows_of_another_width_go_aside(home: Home) -> None:
    home.drop("shop/products/a.csv", "product_id,name\np1,a\np2\np3,a,b\np4,d\n")
    home.land("shop")
    assert home.rows("shop_products", "product_id") == [("p1",), ("p4",)]
    assert [row[0] for row in home.rows("_rejected_lines", "_row_number")] == [3, 4]


def test_a_line_of_ten_megabytes_goes_aside_and_the_next_one_loads(home: Home) -> None:
    huge = '{"event_id": "' + "x" * 10_000_000 + '"}\n'
    home.drop("web/events/a.jsonl", EVENT + huge + EVENT.replace("e1", "e3"))
    home.land("web")
    assert [row[0] for row in home.rows("web_events", "event_id")] == ["e1", "e3"]
    (line,) = home.rows("_rejected_lines", "reason")
    assert "line size over maximum" in str(line[0])


def test_lines_that_are_no_object_go_aside_with_their_number(home: Home) -> None:
    home.drop("web/events/a.jsonl", EVENT + "{bad\n[1, 2]\n\n3\n" + EVENT.replace("e1", "e2"))
    home.land("web")
    assert len(home.rows("web_events")) == 2
    assert home.rows("_rejected_lines", "_row_number, reason, content") == [
        (2, "not valid JSON", "{bad"),
        (3, "a JSON array where an object is expected", "[1, 2]"),
        (5, "a JSON ubigint where an object is expected", "3"),
    ]


def test_a_json_array_is_named_as_such(home: Home) -> None:
    home.drop("web/events/a.jsonl", "[\n" + EVENT.strip() + "\n]\n")
    report = home.land("web")
    assert "a JSON array where one object a line is expected" in report.files[0].message
    assert [row[0] for row in home.rows("web_events", "event_id")] == ["e1"]


def test_a_damaged_parquet_file_is_named(home: Home) -> None:
    home.drop("shop/products/a.parquet", b"PAR1 this is none")
    home.drop("shop/products/b.csv", PRODUCTS + "p1,a,b,c,1,EUR,\n")
    report = home.land("shop")
    assert "not a readable Parquet file" in report.refused["shop/products/a.parquet"]
    assert report.rows == {"shop_products": 1}


def test_headers_as_programs_write_them(home: Home) -> None:
    """A comma at the end, capitals, quotes, UTF-16: read, not refused, and no value is lost."""
    home.drop("shop/products/comma.csv", "product_id,name,\np1,a,x\n")
    home.drop("shop/products/capitals.csv", "Product_ID,NAME\np2,b\n")
    home.drop("shop/products/quotes.csv", 'product_id,"a ""b"" c"\np3,x\n')
    home.drop("shop/products/utf16.csv", "product_id,name\np4,Käse\n".encode("utf-16"))
    home.drop("shop/products/UP.CSV", "product_id,name\np5,e\n")
    assert home.land("shop").refused == {}
    assert sorted(home.rows("shop_products", "product_id, name, _extra")) == [
        ("p1", "a", '{"column_3":"x"}'),
        ("p2", "b", None),
        ("p3", None, '{"a \\"b\\" c":"x"}'),
        ("p4", "Käse", None),
        ("p5", "e", None),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("\nproduct_id,name\np1,a\n", "the first line is empty"),
        ("\n", "the first line is empty"),
        ("product_id,Name,name\np1,a,b\n", "two columns have one name"),
        ("colour,size\nred,1\n", "no column product_id, the key of shop.products"),
        ("<html><body>404</body></html>\n", "no column product_id"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_alone(home: Home, content: str, words: str) -> None:
    home.drop("shop/products/a.csv", content)
    home.drop("shop/products/b.csv", PRODUCTS + "p1,a,b,c,1,EUR,\n")
    report = home.land("shop")
    assert words in report.refused["shop/products/a.csv"]
    assert report.rows == {"shop_products": 1}


def test_the_gzip_of_nothing_is_an_empty_file(home: Home) -> None:
    home.drop("shop/products/a.csv.gz", gzip.compress(b""))
    assert home.land("shop").files[0].message == "the file is empty"


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_columns_named_like_landings_own_do_no_harm(home: Home, suffix: str) -> None:
    if suffix == "csv":
        home.drop("shop/products/a.csv", "product_id,_row_number,_Source_File\np1,x,y\n")
    else:
        path = home.drop("shop/products/a.parquet", b"")
        select = "select 'p1' as product_id, 'x' as _row_number, 'y' as \"_Source_File\""
        duckdb.sql(f"copy ({select}) to '{path}' (format parquet)")
    assert "is read as _row_number_" in home.land("shop").files[0].message
    found = home.rows("shop_products", "product_id, _row_number, _source_file, _extra")
    where = f"shop/products/a.{suffix}"
    assert found == [("p1", 1, where, '{"_row_number_":"x","_Source_File_":"y"}')]


def test_a_parquet_file_damaged_in_its_middle_is_refused_alone(home: Home) -> None:
    path = home.drop("shop/products/a.parquet", b"")
    duckdb.sql(
        "copy (select 'p' || range as product_id, md5(range::varchar) as name from range(200000)) "
        f"to '{path}' (format parquet)"
    )
    raw = bytearray(path.read_bytes())
    middle = len(raw) // 2
    raw[middle : middle + 2000] = b"\0" * 2000
    path.write_bytes(raw)
    home.drop("shop/products/b.csv", PRODUCTS + "q1,a,b,c,1,EUR,\n")
    report = home.land("shop")
    assert "nothing of the file was loaded" in report.refused["shop/products/a.parquet"]
    assert home.rows("shop_products", "product_id") == [("q1",)]


def test_a_value_that_an_expression_cannot_read_is_kept(home: Home) -> None:
    header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    home.drop("online_retail/lines/a.csv", header + "1,s,d,1,the other day,1.5,7.0,France\n")
    home.land("online_retail")
    ((ordered_at, customer, extra),) = home.rows("shop_orders", "ordered_at, customer_id, _extra")
    assert (ordered_at, customer) == (None, "7")
    assert '"InvoiceDate":"the other day"' in str(extra)


def test_files_that_nobody_reads_are_named(home: Home) -> None:
    home.drop("web/events/a.txt", "x")
    home.drop("web/loose.csv", "x")
    home.drop("web/events/.hidden.csv", "x")
    home.drop("web/events/growing.csv.part", "x")
    home.drop("web/events/2026/11/b.jsonl", EVENT)
    found = stray_files(home.inbox)
    assert set(found) == {"web/events/a.txt", "web/loose.csv"}
    assert "not a format that is read" in found["web/events/a.txt"]
    assert home.land("web").rows == {"web_events": 1}


@pytest.mark.parametrize(
    "name", ["a.json", "a.ndjson", "a.json.gz", "1762000000.src.9939.json.gz", "176200.1.3f2.gz"]
)
def test_json_lines_have_many_names(home: Home, name: str) -> None:
    """Segment writes them into `x.gz`, RudderStack and BigQuery into `x.json.gz`."""
    content = gzip.compress(EVENT.encode()) if name.endswith("gz") else EVENT.encode()
    home.drop(f"web/events/{name}", content)
    assert home.land("web").refused == {}
    assert home.rows("web_events", "event_id, name") == [("e1", "page_view")]


def test_a_packed_file_whose_name_says_nothing_is_known_by_its_first_line(home: Home) -> None:
    products = PRODUCTS + "p1,a,b,c,1,EUR,2026-01-01\n"
    home.drop("shop/products/a.gz", gzip.compress(products.replace(",", "\t").encode()))
    home.drop("shop/products/b.gz", gzip.compress(products.encode()))
    report = home.land("shop")
    assert "name it .csv.gz" in report.refused.pop("shop/products/b.gz")
    assert report.refused == {}
    assert home.rows("shop_products", "product_id, price") == [("p1", "1")]


VALUES = st.none() | st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\x01"), max_size=5
)
OBJECTS = st.dictionaries(
    st.sampled_from(["event_id", "name", "value", "colour", "a.b", 'say "x"', "Name"]), VALUES
)
LINES = OBJECTS.map(json.dumps) | st.sampled_from(["", "  ", "{bad", "[1]", "7", '"text"', "null"])


def _obvious(lines: list[str]) -> tuple[list[tuple[object, ...]], list[int]]:
    """Rows (number, event_id, name, value, extra) and numbers of bad lines, one by one."""
    rows: list[tuple[object, ...]] = []
    bad = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if not isinstance(record, dict):
            bad.append(number)
            continue
        known = [record.pop(name, None) for name in ("event_id", "name", "value")]
        rows.append((number, *known, record or None))
    return rows, bad


@settings(max_examples=40, deadline=None, print_blob=True)
@given(st.lists(LINES, min_size=1, max_size=12))
def test_slices_read_quickly_or_carefully_give_what_one_line_at_a_time_gives(
    lines: list[str],
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(copier, "SLICE_LINES", 1)
        patch.setattr(raw_files, "BLOCK_BYTES", 64)
        home = Home(Path(folder))
        home.drop("web/events/a.jsonl", "\n".join(lines) + "\n")
        home.land("web")
        found = [
            (*row[:4], json.loads(str(row[4])) if row[4] else None)
            for row in home.rows("web_events", "_row_number, event_id, name, value, _extra")
        ]
        rejected = [row[0] for row in home.rows("_rejected_lines", "_row_number")]
    assert (found, rejected) == _obvious(lines)
