"""What is kept of a row: with what landed as it is, it gives the whole record back."""

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestration.connectors.definitions import Mapping
from orchestration.connectors.mapped import Mapper

Record = dict[str, Any]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
INNER = st.dictionaries(st.sampled_from(["x", "y z", "w"]), VALUES, max_size=3)
RECORDS = st.fixed_dictionaries(
    {}, optional={"a": VALUES, "b c": VALUES, "d": INNER | VALUES, "e": INNER | VALUES, "f": VALUES}
)
# Which fields land as they are, and what makes them.
FLAT = {"product_id": ("a",), "name": ("b c",)}
NESTED = {**FLAT, "category": ("d", "x"), "brand": ("d", "y z"), "price": ("e", "x")}
OVER_ITSELF = {**NESTED, "currency": ("d",)}
CALCULATED = {
    "updated_at": "coalesce(\"record\"->>'$.f', \"record\"->>'$.a')",
    "stock": "\"record\"->>'$.e[0]'",
}


def _mapped(records: list[str | None], columns: dict[str, str]) -> list[Record]:
    batch = pa.table({"record": pa.array(records, pa.string())})
    return Mapper("shop_products", Mapping(columns=columns), "s/p")(batch).to_pylist()


def _path(keys: tuple[str, ...]) -> str:
    return '"record"->>\'$' + "".join(f'."{key}"' for key in keys) + "'"


def _without(record: Record, landed: set[tuple[str, ...]]) -> Record:
    """The record without fields, one after the other."""
    rest: Record = json.loads(json.dumps(record))
    inner = {keys[:1] for keys in landed if len(keys) == 2}
    all_there = all(isinstance(record.get(key), dict) for (key,) in inner)
    for keys in sorted(landed, key=len, reverse=True):
        if len(keys) == 1:
            rest.pop(keys[0], None)
        elif all_there:
            rest[keys[0]].pop(keys[1], None)
    return rest


def _is_landed(value: object, landed: str | None) -> bool:
    """Whether landing's text says the value."""
    if value is None or isinstance(value, str) or landed is None:
        return landed == value
    return bool(json.loads(landed) == value)


@pytest.mark.parametrize("fields", [FLAT, NESTED, OVER_ITSELF])
@settings(max_examples=60, deadline=None)
@given(records=st.lists(RECORDS, min_size=1, max_size=5))
@example(records=[{"a": "\x00", "b c": {}, "d": {"x": None}, "e": {"x": 1}}, {}])
def test_what_did_not_land_as_it_is_is_kept(
    fields: dict[str, tuple[str, ...]], records: list[Record]
) -> None:
    columns = {**{name: _path(keys) for name, keys in fields.items()}, **CALCULATED}
    rows = _mapped([json.dumps(record) for record in records], columns)
    for record, row in zip(records, rows, strict=True):
        kept = json.loads(row["_extra"])["record"] if row["_extra"] else {}
        assert kept == _without(record, set(fields.values()))
        for name, keys in fields.items():
            value: Any = record
            for key in keys:
                value = value.get(key) if isinstance(value, dict) else None
            assert _is_landed(value, row[name])


def test_an_expression_that_fails_keeps_what_it_was_made_of() -> None:
    columns = {"product_id": _path(("id",)), "price": f"({_path(('price',))})::int / 100"}
    rows = _mapped(['{"id": 1, "price": "150"}', '{"id": 2, "price": "free"}'], columns)
    assert [(row["price"], row["_extra"]) for row in rows] == [
        ("1.5", '{"record":{"price":"150"}}'),
        (None, '{"record":{"price":"free"}}'),
    ]


@pytest.mark.parametrize("text", ["[1]", '"a"', '{"id": 1', '{"id": "\\ud83d", "b": 1}', "{} x"])
def test_what_is_no_object_is_kept_as_its_text(text: str) -> None:
    (row,) = _mapped([text], {"product_id": _path(("id",))})
    assert (row["product_id"], json.loads(row["_extra"])) == (None, {"record": text})


def test_nothing_left_is_null() -> None:
    rows = _mapped(['{"id": 1}', ' {"id": null}', "{}", None], {"product_id": _path(("id",))})
    assert [row["_extra"] for row in rows] == [None] * 4
