"""The event table as lines of JSON, gzipped: the shape in which a tracker exports.

Absent values are left out, as trackers do. DuckDB puts the lines together, since a loop over ten
million rows would not end in time; text of our own vocabulary needs no escaping.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from seeds.simulator.faults import Fault

LEVEL = 6
TEXTS = (
    "anonymous_id",
    "user_id",
    "email",
    "page_url",
    "page_type",
    "product_id",
    "category",
    "cart_id",
    "order_id",
    "currency",
    "search_query",
    "device_type",
    "country",
    "timezone",
    "utm_source",
    "utm_medium",
    "utm_campaign",
)
NUMBERS = ("quantity", "value", "dwell_seconds", "scroll_depth")


def write_lines(table: pa.Table, path: Path) -> None:
    """Write one file of JSON Lines, gzipped, with the same bytes for the same table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)  # 31: gzip, whose header has no time
    with duckdb.connect(":memory:", config={"threads": 1}) as connection, path.open("wb") as file:
        connection.register("events", table)
        lines = connection.execute(f"select {_line()} as line from events").to_arrow_table()
        for chunk in lines.column("line").chunks:
            file.write(packer.compress(_bytes(chunk)))
        file.write(packer.flush())


def _bytes(chunk: pa.Array) -> memoryview:
    """All texts of a column end to end, without a copy."""
    _, offsets, data = chunk.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    return memoryview(data)[int(ends[0]) : int(ends[-1])]


def _line() -> str:
    """SQL for one line: a JSON object, a cut one, or none at all."""
    fields = [
        """'{"event_id":"' || event_id || '","name":"' || name || '"'""",
        f"""case when {_wrong(0)} then ',"occurred_at":"yesterday"'
            else ',"occurred_at":"' || occurred_at || '"' end""",
        """',"received_at":"' || received_at || '"'""",
        *(_text(name) for name in TEXTS),
        *(_number(name) for name in NUMBERS),
        # Some trackers send an explicit null where others leave the key out.
        """case when user_id is null and number % 16 = 0 then ',"user_id":null' else '' end""",
        """coalesce(',"properties":{"element":"' || element || '"}', '')""",
        """coalesce(',"properties":{"video":' || video || '}', '')""",
        "'}'",
    ]
    whole = "concat(" + ", ".join(fields) + ")"
    return f"""case
        when fault <> {Fault.MALFORMED:d} then {whole}
        when number % 3 = 0 then '<html>502 Bad Gateway</html>'
        else left({whole}, 60 + (number % 50)::integer) end || chr(10)"""


def _text(name: str) -> str:
    return f"""coalesce(',"{name}":"' || {name} || '"', '')"""


def _number(name: str) -> str:
    plain = f"""coalesce(',"{name}":' || {name}, '')"""
    wrong = {"quantity": "two", "value": "n/a", "scroll_depth": "half"}
    if name not in wrong:
        return plain
    turn = list(wrong).index(name) + 1
    return f"""case when {_wrong(turn)} then ',"{name}":"{wrong[name]}"' else {plain} end"""


def _wrong(turn: int) -> str:
    return f"(fault = {Fault.WRONG_TYPE:d} and number % 4 = {turn})"
