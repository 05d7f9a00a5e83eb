"""What destinations share about rows: the last word on each key, and rows as JSON."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orchestration.connectors.destinations.base import REMOVING, DeliveryError

if TYPE_CHECKING:
    import pyarrow as pa

# What Muster adds to a row for its own sake; the others are what the feed is about.
OWN = ("sequence", "idempotency_key", "as_of", "snapshot_id")


def last_of_each_key(rows: "pa.Table", key: Sequence[str]) -> "pa.Table":
    """The row of each key with the highest sequence, in the order of `sequence`."""
    import pyarrow.compute as pc

    last = rows.group_by(list(key)).aggregate([("sequence", "max")])["sequence_max"]
    if len(last) == rows.num_rows:
        return rows
    return rows.filter(pc.is_in(rows["sequence"], value_set=last.combine_chunks()))


def after(rows: "pa.Table", sequence: int) -> "pa.Table":
    """The rows above a sequence, since batches may be cut anew after an interruption."""
    import pyarrow.compute as pc

    return rows.filter(pc.greater(rows["sequence"], sequence))


def is_removing(rows: "pa.Table") -> "pa.ChunkedArray":
    """For each row, whether its key is to be removed."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.is_in(rows["action"], value_set=pa.array(REMOVING))


def dicts(rows: "pa.Table", names: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Rows as dictionaries of some columns; by column, which is three times as fast as by row."""
    chosen = list(names or rows.column_names)
    if not chosen:
        return ({} for _ in range(rows.num_rows))
    columns: Iterable[list[Any]] = [rows[name].to_pylist() for name in chosen]
    return (dict(zip(chosen, values, strict=True)) for values in zip(*columns, strict=True))


def as_json(value: object) -> bytes:
    """JSON of a row or of a list of rows: times are UTC with a Z, amounts are numbers."""
    import orjson

    return orjson.dumps(value, default=_plain, option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    return value.hex() if isinstance(value, bytes) else str(value)


def needs(columns: Sequence[str], name: str, kind: str) -> None:
    """Raises DeliveryError unless rows have a column that this kind of destination rests on."""
    if name not in columns:
        raise DeliveryError(
            f"{kind} needs rows with {name}, which this feed has not; use another kind",
            is_temporary=False,
        )
