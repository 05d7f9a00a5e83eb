"""Messages of a topic become Arrow rows; those that are no JSON objects are set aside, not lost.

Kept away from the connection, so that what a message means can be tested without one.
"""

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from orchestration.connectors.definitions import tried
from orchestration.connectors.sources.schema_registry import (
    SchemaRegistry,
    UndecodableError,
    is_framed,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from confluent_kafka import Message

_NO_REGISTRY = "begins like a message of a schema registry; set schema_registry"


class Decoded(NamedTuple):
    """`rows` land, `rejected` go aside; `tombstones` had no value and no meaning to the mapping."""

    rows: "pa.Table"
    rejected: "pa.Table"
    tombstones: int


def _text(payload: bytes) -> str:
    """The bytes as text, whatever they are: UTF-8, else Base64 behind `base64:`."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(payload).decode()


def _texts(payloads: Sequence[bytes | None]) -> "pa.Array":
    import pyarrow as pa

    try:
        return pa.array(payloads, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([None if item is None else _text(item) for item in payloads], pa.string())


class MessageDecoder:
    """Turns messages of one topic into rows `record`, `key`, `topic`, `partition`, `offset`,
    `timestamp`, with `_source_file` and `_row_number` that point back at the message.

    Args:
        source: the source's name.
        topic: the topic's.
        deleted: the mapping's condition for records that delete their key.
        registry: for messages in its wire format.
    """

    def __init__(
        self, source: str, topic: str, deleted: str, registry: SchemaRegistry | None
    ) -> None:
        import duckdb

        self.topic, self.registry = topic, registry
        self.origin = f"{source}/{topic}"
        self.deleted = deleted or "false"
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("set timezone = 'UTC'")

    def _unframed(self, payloads: list[bytes | None]) -> tuple[list[bytes | None], dict[int, str]]:
        """Payloads as JSON bytes, and by index why one cannot be."""
        reasons: dict[int, str] = {}
        found = list(payloads)
        for index, payload in enumerate(payloads):
            if payload and payload[0] == 0 and is_framed(payload):
                try:
                    if self.registry is None:
                        raise UndecodableError(_NO_REGISTRY)
                    found[index] = self.registry.decode(payload)
                except UndecodableError as error:
                    reasons[index] = str(error)
        return found, reasons

    def __call__(self, messages: "Sequence[Message]") -> Decoded:
        """Sort the messages into rows and rejects.

        Raises:
            SourceError: the schema registry does not answer.
        """
        import pyarrow as pa

        values = [message.value() for message in messages]
        records, reasons = self._unframed(values)
        keys, _ = self._unframed([message.key() for message in messages])
        times = [message.timestamp() for message in messages]
        partitions = pa.array([message.partition() for message in messages], pa.int32())
        batch = pa.table(
            {
                "record": _texts(records),
                "key": _texts(keys),
                "topic": pa.array([self.topic] * len(messages), pa.string()),
                "partition": partitions,
                "offset": pa.array([message.offset() for message in messages], pa.int64()),
                "timestamp": pa.array(
                    [moment if kind else None for kind, moment in times],
                    pa.timestamp("ms", "UTC"),
                ),
                "_reason": pa.array(
                    [reasons.get(index) for index in range(len(messages))]
                    if reasons
                    else [None] * len(messages),
                    pa.string(),
                ),
            }
        )
        return self._sorted(batch)

    def _sorted(self, batch: "pa.Table") -> Decoded:
        """Judge all records in one query; `->>` finds nothing in JSON that is no object."""
        self.connection.register("batch", batch)
        judged = self.connection.execute(
            f"""select * exclude (_reason), $origin || '/' || "partition" as _source_file,
                "offset" as _row_number,
                case
                    when _reason is not null then _reason
                    when "record" is null
                    then if(coalesce({tried(self.deleted)}, false), null, '')
                    when json_valid("record") is not true then 'not JSON'
                    when json_type("record") <> 'OBJECT' then 'JSON, but not an object'
                end as _reason
            from batch""",
            {"origin": self.origin},
        ).to_arrow_table()
        self.connection.unregister("batch")
        reason = judged.column("_reason")
        if reason.null_count == judged.num_rows:
            rows = judged.drop_columns("_reason")
            return Decoded(rows, _rejected(judged.slice(0, 0)), 0)
        import pyarrow.compute as pc

        tombstones = judged.filter(pc.equal(reason, "")).num_rows
        return Decoded(
            judged.filter(pc.is_null(reason)).drop_columns("_reason"),
            _rejected(judged.filter(pc.not_equal(reason, ""))),
            tombstones,
        )


def _rejected(judged: "pa.Table") -> "pa.Table":
    """Judged messages in the columns of `_rejected_lines`."""
    return judged.select(["_source_file", "_row_number", "_reason", "record"]).rename_columns(
        ["_source_file", "_row_number", "reason", "content"]
    )
