"""Mapping JSON: parsing once gives what one `->>` after the other gives."""

import json

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.connectors.definitions import Mapping
from orchestration.connectors.mapped import Mapper, parsed_once

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
RECORDS = st.dictionaries(st.sampled_from(["a", "b c", "d", "e-f"]), VALUES)
EXPRESSIONS = [
    "\"record\"->>'$.a'",
    '"record" ->> \'$."b c"\'',
    "upper(\"record\"->>'$.d[0].a') || '!'",
    "\"record\"->>'$.d[*]'",
    'coalesce("record"->>\'$."e-f"\', "other"->>\'$.a\')',
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(RECORDS, RECORDS), min_size=1, max_size=5))
def test_parsing_once_finds_what_each_arrow_finds(pairs: list[tuple[object, object]]) -> None:
    batch = pa.table(
        {
            "record": [json.dumps(pair[0]) for pair in pairs],
            "other": [json.dumps(pair[1]) for pair in pairs],
        }
    )
    assert batch.num_rows == len(pairs)
    rewritten, lists = parsed_once(EXPRESSIONS)
    with duckdb.connect() as connection:
        each = connection.execute(f"select {', '.join(EXPRESSIONS)} from batch").fetchall()
        once = connection.execute(
            f"select {', '.join(rewritten)} from (select *{lists} from batch)"
        ).fetchall()
    assert once == each


def test_what_is_no_json_is_null_and_stops_nothing() -> None:
    mapping = Mapping(
        columns={"product_id": 'coalesce("record"->>\'$.id\', "key")'},
        deleted="\"record\"->>'$.\"is gone\"' = 'yes'",
    )
    batch = pa.table(
        {"record": ['{"id": 1, "is gone": "yes"}', "broken", None], "key": list("abc")}
    )
    rows = Mapper("shop_products", mapping, "s/p")(batch).to_pylist()
    assert [(row["product_id"], row["_deleted"]) for row in rows] == [
        ("1", True),
        ("b", False),
        ("c", False),
    ]


def test_a_choice_that_fails_on_some_of_many_rows_is_null_there_only() -> None:
    """DuckDB's own `try` writes past the end of its memory here, which mostly kills the process."""
    sql = {
        "product_id": '"id"',
        "name": 'coalesce("a"::int::varchar, "b"::int::varchar)',
        "brand": """case when "a" = '1' then 'one' when "b"::int > 1 then 'more' end""",
    }
    batch = pa.table(
        {
            "id": [str(number) for number in range(5000)],
            "a": [(None, "x", "1")[number % 3] for number in range(5000)],
            "b": [("2", "y", None, "4")[number % 4] for number in range(5000)],
        }
    )
    for _ in range(3):
        rows = Mapper("shop_products", Mapping(columns=sql), "s/p")(batch).to_pylist()
        for row, a, b in zip(rows, batch["a"].to_pylist(), batch["b"].to_pylist(), strict=True):
            number = b if b != "y" else None
            assert row["name"] == {None: number, "x": None, "1": "1"}[a]
            assert row["brand"] == ("one" if a == "1" else number and "more")


@pytest.mark.parametrize("place", [{"_source_file": ["t/0", None], "_row_number": [41, 7]}])
def test_rows_may_tell_where_they_came_from(place: dict[str, list[object]]) -> None:
    batch = pa.table({"id": ["a", "b"], **place})
    mapped = Mapper("shop_products", Mapping(columns={"product_id": '"id"'}), "s/p")(batch)
    rows = mapped.to_pylist()
    assert [(row["_source_file"], row["_row_number"], row["_extra"]) for row in rows] == [
        ("t/0", 41, None),
        ("s/p", 7, None),
    ]
