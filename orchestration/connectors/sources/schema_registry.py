"""Messages in the wire format of a Schema Registry: a zero byte, the schema's id, the payload.

Only what reading needs: the client of confluent-kafka asks for four more packages. The format is
described at https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/
(wire format). Avro and JSON Schema are read, Protobuf is not.
"""

import base64
import io
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from orchestration.connectors.sources.base import SourceError

_MAGIC = 0
_HEADER_BYTES = 5
_UNAVAILABLE = 500  # HTTP statuses from here on are the server's own trouble
_SECONDS = 10.0

Decoder = Callable[[bytes], bytes]


class UndecodableError(ValueError):
    """These bytes are no message of this registry; the text says why."""


def is_framed(payload: bytes) -> bool:
    """Whether the bytes begin like a message of a registry; no JSON text does."""
    return len(payload) >= _HEADER_BYTES and payload[0] == _MAGIC


def _plain(value: object) -> str:
    """Values of Avro that JSON has no word for: exact numbers as text, bytes in Base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal | timedelta):
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def _avro(schema: Any, number: int) -> Decoder:
    import fastavro
    import orjson

    def decode(body: bytes) -> bytes:
        try:
            value = fastavro.schemaless_reader(io.BytesIO(body), schema)
            return orjson.dumps(value, default=_plain)
        except Exception as error:  # whatever the decoder stumbles upon in damaged bytes
            said = str(error) or type(error).__name__
            raise UndecodableError(f"does not fit Avro schema {number}: {said}") from None

    return decode


class SchemaRegistry:
    """Decodes messages to JSON text; each schema is asked for once.

    Args:
        url: of the registry, with `user:password@` where it asks for them.
    """

    def __init__(self, url: str) -> None:
        import requests

        self.url = url.rstrip("/")
        self.session = requests.Session()
        self.decoders: dict[int, Decoder | UndecodableError] = {}

    def decode(self, payload: bytes) -> bytes:
        """The message as JSON text.

        Raises:
            UndecodableError: it does not fit its schema, or the registry has none for it.
            SourceError: the registry does not answer.
        """
        number = int.from_bytes(payload[1:_HEADER_BYTES], "big")
        if number not in self.decoders:
            try:
                self.decoders[number] = self._decoder(number)
            except UndecodableError as error:
                self.decoders[number] = error
        decoder = self.decoders[number]
        if isinstance(decoder, UndecodableError):
            raise decoder
        return decoder(payload[_HEADER_BYTES:])

    def check(self) -> None:
        """Ask the registry for something small.

        Raises:
            SourceError: it does not answer, or refuses.
        """
        self._get("/schemas/types")

    def _decoder(self, number: int) -> Decoder:
        import fastavro
        import orjson

        found = self._get(f"/schemas/ids/{number}")
        if found is None:
            raise UndecodableError(f"schema {number} is unknown to the schema registry")
        kind = found.get("schemaType", "AVRO")
        if kind == "JSON":
            return bytes
        if kind != "AVRO":
            raise UndecodableError(f"schema {number} is {kind}, which is not read")
        try:
            named: dict[str, Any] = {}
            self._name_references(found, named)
            return _avro(fastavro.parse_schema(orjson.loads(found["schema"]), named), number)
        except (fastavro.schema.SchemaParseException, fastavro.schema.UnknownType) as error:
            raise UndecodableError(f"schema {number} is not valid Avro: {error}") from None

    def _name_references(self, found: dict[str, Any], named: dict[str, Any]) -> None:
        """Parse the schemas that one refers to, deepest first, into `named`."""
        import fastavro
        import orjson

        for reference in found.get("references") or ():
            path = f"/subjects/{reference['subject']}/versions/{reference['version']}"
            other = self._get(path)
            if other is None:
                raise UndecodableError(f"the schema registry lacks {path}")
            self._name_references(other, named)
            if reference["name"] not in named:
                fastavro.parse_schema(orjson.loads(other["schema"]), named)

    def _get(self, path: str) -> Any:
        """What the registry answers; None where it says that it has no such thing."""
        import requests

        try:
            answer = self.session.get(f"{self.url}{path}", timeout=_SECONDS)
            said = answer.json()
        except requests.JSONDecodeError:
            said = None
        except requests.RequestException as error:
            raise SourceError(
                f"schema_registry does not answer ({type(error).__name__}); check its address",
                is_transient=True,
            ) from None
        if answer.status_code in (401, 403):
            raise SourceError("schema_registry refused the credentials in its address")
        if answer.status_code == 200 and said is not None:
            return said
        if answer.status_code == 404 and isinstance(said, dict) and said.get("error_code", 0) > 404:
            return None
        raise SourceError(
            f"schema_registry answered {path} with {answer.status_code}; check its address",
            is_transient=answer.status_code >= _UNAVAILABLE,
        )
