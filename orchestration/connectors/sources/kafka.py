"""Topics of Kafka, pulled in micro-batches: what is there when a read begins, and then it ends.

Where a read begins is Muster's own cursor, which lands with the rows, and not the consumer
group's: so each message lands once, whatever dies when. The group is only told afterwards, for
those who watch it. A new partition, and one whose next message was removed, begins at its oldest.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orchestration.connectors.contract import entities
from orchestration.connectors.definitions import Mapping
from orchestration.connectors.mapped import Mapper
from orchestration.connectors.secrets import MissingSecretError, scrubbed
from orchestration.connectors.sources.base import Batch, Cursor, Part, Source, SourceError
from orchestration.connectors.sources.kafka_client import (
    FIXED,
    Connection,
    Watermarks,
    partition_of,
)
from orchestration.connectors.sources.kafka_messages import MessageDecoder
from orchestration.connectors.sources.schema_registry import SchemaRegistry

_TAKEN = {"bootstrap.servers": "brokers", "group.id": "group"}
_SECRET_ENDINGS = ("password", "secret", "key.pem")
# Rejects wait in memory until the rows are written; a read with more of them ends early.
_MAX_REJECTED_BYTES = 64_000_000


class TopicPart(Part):
    """A topic as a part of its source, which is named after it."""

    max_messages: int


class Topic(BaseModel):
    """One topic and the entity of its messages; `max_messages` bounds one pull.

    Without a mapping a message has the entity's own columns as its fields.
    """

    model_config = ConfigDict(extra="forbid")
    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
    entity: str
    max_messages: Annotated[int, Field(gt=0)] = 500_000
    mapping: Mapping | None = None

    def part(self) -> TopicPart:
        """The topic as a part.

        Raises:
            ValueError: the entity or its mapping does not fit the contract.
        """
        mapping = self.mapping
        if mapping is None:
            columns = entities()[self.entity].columns if self.entity in entities() else ()
            mapping = Mapping(columns={name: f""""record"->>'$.{name}'""" for name in columns})
        return TopicPart(
            name=self.topic, entity=self.entity, mapping=mapping, max_messages=self.max_messages
        )


class KafkaSource(Source):
    """A cluster and its topics.

    `settings` are librdkafka's own (security.protocol, sasl.username, ...); `group` is the
    consumer group that learns how far was read, `muster-<name>` unless it is set.
    """

    brokers: Annotated[str, Field(min_length=1)]
    settings: dict[str, str | bool | int | float] = Field(default_factory=dict)
    schema_registry: str = ""
    group: str = ""
    timeout_seconds: Annotated[float, Field(gt=0)] = 30.0
    topics: Annotated[list[Topic], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        names = [topic.topic for topic in self.topics]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"topic {', '.join(twice)} is listed twice")
        for name, value in self.settings.items():
            if name in _TAKEN:
                raise ValueError(f"settings: {name} is set by {_TAKEN[name]}")
            if name in FIXED:
                raise ValueError(f"settings: {name} is Muster's own; leave it out")
            if name.endswith(_SECRET_ENDINGS) and "${" not in str(value):
                raise ValueError(f"settings: {name} is a secret; write ${{NAME}} in its place")
        for topic in self.topics:
            topic.part()
        return self

    def parts(self) -> Sequence[TopicPart]:
        """One for each topic."""
        return [topic.part() for topic in self.topics]

    def _connection(self) -> Connection:
        settings = {
            name: self.secret(value) if isinstance(value, str) else value
            for name, value in self.settings.items()
        }
        group = self.group or f"muster-{self.name}"
        return Connection(self.secret(self.brokers), group, settings, self.timeout_seconds)

    def _decoder(self, part: Part) -> MessageDecoder:
        address = self.secret(self.schema_registry)
        registry = SchemaRegistry(address) if address else None
        return MessageDecoder(self.name, part.name, part.mapping.deleted, registry)

    def read(self, part: Part, cursor: Cursor | None) -> Iterator[Batch]:
        """Everything up to the high watermarks of this moment, bounded by `max_messages`."""
        with self._connection() as connection:
            marks = connection.watermarks(part.name)
            begin, notes = _begin(cursor or {}, marks)
            end = {number: mark.high for number, mark in marks.items()}
            limit = part.max_messages if isinstance(part, TopicPart) else sum(end.values())
            decode = self._decoder(part)
            position, tombstones, rejected_bytes = begin, 0, 0
            for chunk in connection.messages(part.name, begin, end, limit):
                found = decode(chunk.messages)
                position = chunk.position
                yield Batch(found.rows, _cursor(position), found.rejected)
                tombstones += found.tombstones
                rejected_bytes += found.rejected.nbytes
                if rejected_bytes > _MAX_REJECTED_BYTES:
                    break
            if tombstones:
                notes.append(
                    f"{tombstones} messages without a value were passed over; mapping.deleted "
                    "can say that they delete"
                )
            if notes:
                yield Batch(decode([]).rows, _cursor(position), notes=notes)

    def committed(self, part: Part, cursor: Cursor) -> None:
        """Tell the consumer group how far is durable; only those who watch it need that."""
        with self._connection() as connection:
            connection.commit(part.name, {int(number): at for number, at in cursor.items()})

    def lag_seconds(self, part: Part, cursor: Cursor) -> float | None:
        """The age of the oldest message that waits; 0 where none does, None if it has no time."""
        with self._connection() as connection:
            marks = connection.watermarks(part.name)
            begin, _ = _begin(cursor, marks)
            first = {
                number: begin[number] + 1 for number in marks if begin[number] < marks[number].high
            }
            begin = {number: begin[number] for number in first}
            oldest: dict[int, float] = {}
            for chunk in connection.messages(part.name, begin, first, sum(first.values())):
                for message in chunk.messages:
                    kind, moment = message.timestamp()
                    if kind:
                        oldest.setdefault(partition_of(message), moment / 1000)
                if len(oldest) == len(first):
                    break
        if not first:
            return 0.0
        return max(0.0, time.time() - min(oldest.values())) if oldest else None

    def problems(self) -> list[str]:
        """Connect, look at every topic and read one message of each, ask the registry."""
        found: list[str] = []
        try:
            if self.schema_registry:
                SchemaRegistry(self.secret(self.schema_registry)).check()
            for part in self.parts():
                with self._connection() as connection:
                    try:
                        found += self._problems_of(part, connection)
                    except SourceError as error:
                        found.append(str(error))
                        if error.is_transient:
                            break
        except (SourceError, MissingSecretError) as error:
            found.append(str(error))
        return [scrubbed(line) for line in found]

    def _problems_of(self, part: TopicPart, connection: Connection) -> list[str]:
        """What its newest message tells of a topic; an empty one tells nothing."""
        marks = connection.watermarks(part.name)
        end = {number: mark.high for number, mark in marks.items() if mark.high > mark.low}
        newest = {number: high - 1 for number, high in end.items()}
        decode = self._decoder(part)
        for chunk in connection.messages(part.name, newest, end, len(end)):
            found = decode(chunk.messages)
            for line in found.rejected.slice(0, 1).to_pylist():
                where = f"{line['_source_file']} offset {line['_row_number']}"
                return [f"{where} cannot be read: {line['reason']}"]
            for row in Mapper(part.entity, part.mapping, part.name)(found.rows).to_pylist()[:1]:
                lost = [name for name in entities()[part.entity].key if row[name] is None]
                where = f"{row['_source_file']} offset {row['_row_number']}"
                return [f"{where}: the mapping finds no {name}" for name in lost]
        return []


def _cursor(position: dict[int, int]) -> Cursor:
    return {str(number): offset for number, offset in sorted(position.items())}


def _begin(
    cursor: dict[str, Any], marks: dict[int, Watermarks]
) -> tuple[dict[int, int], list[str]]:
    """Where each partition is read from, and what was lost on the way there."""
    begin, notes = {}, []
    for number, mark in marks.items():
        next_offset = int(cursor.get(str(number), mark.low))
        begin[number] = next_offset if mark.low <= next_offset <= mark.high else mark.low
        if next_offset < mark.low:
            notes.append(
                f"partition {number}: {mark.low - next_offset} messages were lost, the broker "
                "removed them before they were read; pull more often or let it keep them longer"
            )
        elif next_offset > mark.high:
            notes.append(
                f"partition {number} ends at {mark.high} but was read up to {next_offset}: the "
                "topic was made anew, and is read from its beginning"
            )
    return begin, notes
