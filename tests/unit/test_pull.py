"""Pulling: cursors land with their rows, changes of the source are told, errors are one line."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from orchestration.connectors.definitions import Mapping
from orchestration.connectors.json_fields import MOST_KEYS, JsonFields
from orchestration.connectors.pull import PullReport, last_pull, pull
from orchestration.connectors.sources.base import Batch, Cursor, Part, Source, SourceError

PRODUCTS = Part(
    name="articles",
    entity="shop_products",
    mapping=Mapping(
        columns={"product_id": '"id"', "price": 'cast("cents" as integer) / 100'},
        deleted="\"state\" = 'gone'",
    ),
)


class Ledger(Source):
    """A list of rows that grows; the cursor is how many have been read."""

    rows: list[dict[str, object]]
    fails_after: int | None = None

    def parts(self) -> Sequence[Part]:
        return [PRODUCTS]

    def read(self, part: Part, cursor: Cursor | None) -> Iterator[Batch]:
        begin = cursor["count"] if cursor else 0
        for number in range(begin, len(self.rows)):
            if self.fails_after is not None and number >= self.fails_after:
                raise SourceError("the line is cut", is_transient=True)
            yield Batch(pa.Table.from_pylist([self.rows[number]]), {"count": number + 1})

    def problems(self) -> list[str]:
        return []


def _row(number: int, **more: object) -> dict[str, object]:
    return {"id": f"p{number}", "cents": "150", "state": "here", **more}


class Home:
    def __init__(self, folder: Path) -> None:
        self.landing, self.state = folder / "landing", folder / "dlt"

    def pull(self, source: Source) -> PullReport:
        return pull(source, PRODUCTS, self.landing, self.state)

    def landed(self, columns: str = "product_id") -> list[tuple[object, ...]]:
        files = f"{self.landing}/ledger/shop_products/*.parquet"
        return duckdb.sql(
            f"select {columns} from read_parquet('{files}') order by _load_id, _row_number"
        ).fetchall()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_each_pull_goes_on_where_the_last_durable_one_ended(home: Home) -> None:
    source = Ledger(name="ledger", rows=[_row(1), _row(2)])
    assert home.pull(source).rows == 2
    source.rows.append(_row(3, state="gone"))
    report = home.pull(source)
    assert (report.rows, report.cursor) == (1, {"count": 3})
    assert home.pull(source).load_id is None
    assert home.landed("product_id, price, _deleted, _row_number, _extra") == [
        ("p1", "1.5", False, 1, '{"cents":"150","state":"here"}'),
        ("p2", "1.5", False, 2, '{"cents":"150","state":"here"}'),
        ("p3", "1.5", True, 1, '{"cents":"150","state":"gone"}'),
    ]


def test_a_source_that_fails_midway_lands_nothing_and_moves_no_cursor(home: Home) -> None:
    source = Ledger(name="ledger", rows=[_row(1), _row(2)])
    source.fails_after = 1
    with pytest.raises(SourceError, match="ledger/articles: the line is cut") as caught:
        home.pull(source)
    assert caught.value.is_transient
    assert last_pull(home.landing, "ledger", "articles") is None
    source.fails_after = None
    assert home.pull(source).rows == 2
    assert home.landed() == [("p1",), ("p2",)]


def test_a_new_column_is_kept_and_told_and_a_needed_one_that_is_gone_stops(home: Home) -> None:
    source = Ledger(name="ledger", rows=[_row(1)])
    home.pull(source)
    source.rows.append(_row(2, colour="red"))
    assert home.pull(source).notes == ["new columns, kept in _extra until they are mapped: colour"]
    source.rows.append({"id": 3, "cents": "1", "state": "", "colour": ""})
    assert home.pull(source).notes == ["column id was string and is int64"]
    source.rows.append({"id": "p4", "price_cents": "1", "state": ""})
    with pytest.raises(SourceError, match="column cents is gone; there are id, price_cents, state"):
        home.pull(source)
    assert len(home.landed()) == 3


def test_fields_of_json_that_come_and_go_are_told(home: Home) -> None:
    """A rename of a field stops nothing, since a record may lack one by chance."""

    class Api(Ledger):
        def parts(self) -> Sequence[Part]:
            return [
                Part(
                    name="articles",
                    entity="shop_products",
                    mapping=Mapping(
                        columns={
                            "product_id": "\"record\"->>'$.id'",
                            "name": "upper(\"record\"->>'$.about.title')",
                            "brand": "\"record\"->>'$.about.brand'",
                        }
                    ),
                )
            ]

    def record(number: int, about: dict[str, object], **more: object) -> dict[str, object]:
        return {"record": json.dumps({"id": f"p{number}", "about": about, **more})}

    source = Api(name="ledger", rows=[record(1, {"title": "a", "brand": "x"})])

    def notes(*rows: dict[str, object]) -> list[str]:
        source.rows += rows
        return pull(source, source.parts()[0], home.landing, home.state).notes

    assert notes() == []
    assert notes(record(2, {"title": "b"}), record(3, {"title": "c", "brand": None})) == []
    assert notes(record(4, {"title": "d"})) == [], "brand was not in all records before"
    assert notes(record(5, {"label": "e"}, colour="red")) == [
        "new fields, kept in _extra until they are mapped: record->about.label, record->colour",
        "no record has any more, and each had: record->about.title",
        "the mapping names record->about.title: change it if they were renamed",
    ]
    assert notes(record(6, {"label": "f"})) == [], "each is told once"
    (last,) = home.landed("_extra")[-1:]
    assert json.loads(str(last[0])) == {"record": {"about": {"label": "f"}}}


def test_an_object_with_very_many_keys_is_a_map() -> None:
    mapping = Mapping(columns={"product_id": "\"record\"->>'$.id'"})
    fields = JsonFields(mapping)
    many = {f"k{number}": 1 for number in range(MOST_KEYS + 1)}
    fields.look(pa.table({"record": [json.dumps(many)]}))
    assert fields.kinds({}) == {}


def test_an_expression_that_fails_on_a_row_is_told_and_stops_nothing(home: Home) -> None:
    source = Ledger(name="ledger", rows=[_row(1), _row(2, cents="cheap"), _row(3)])
    (note,) = home.pull(source).notes
    assert note.startswith("price could not be calculated for some rows and is null there")
    assert note.endswith('cast("cents" as integer) / 100')
    assert "cheap" not in note, "values may be personal"
    found = home.landed("product_id, price, _extra->>'cents'")
    assert found == [("p1", "1.5", "150"), ("p2", None, "cheap"), ("p3", "1.5", "150")]
    source.rows.append(_row(4))
    assert home.pull(source).notes == []


@pytest.mark.parametrize(
    ("value", "is_told"),
    [("2020-01-01 10:00:00+00", True), ("2020-01-01", True), ("20200101", False), (None, False)],
)
def test_a_cursor_that_is_a_time_tells_the_lag(value: str | None, is_told: bool) -> None:
    lag = Ledger(name="ledger", rows=[]).lag_seconds(PRODUCTS, {"value": value})
    assert (lag is not None and lag > 100_000_000) == is_told


def test_a_mapping_that_does_not_fit_the_contract_is_refused() -> None:
    with pytest.raises(ValueError, match="needs its key: map product_id"):
        Part(name="a", entity="shop_products", mapping=Mapping(columns={"name": '"x"'}))
    with pytest.raises(ValueError, match="has no column colour"):
        Part(name="a", entity="shop_products", mapping=Mapping(columns={"colour": '"x"'}))
